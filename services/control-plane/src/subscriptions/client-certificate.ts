/**
 * A client certificate by request: a delivery worker makes the key pair, the customer has the request signed and hands
 * back the certificate. The private key never leaves the workers but sealed for them, so nobody else can use it.
 *
 *     asked ─▶ the worker makes the pair ─▶ request shown ─▶ signed elsewhere ─▶ certificate saved with the sealed key
 */
import { createPublicKey, randomUUID, X509Certificate } from 'node:crypto';
import { DatabridgeError } from '@databridge/kernel/errors';
import { readTopicIfAny } from '@databridge/kernel/kafka/topic-reader';
import { systemClock } from '@databridge/kernel/time/clock';
import { pause } from '@databridge/kernel/time/pause';
import { CERTIFICATE_REQUESTS_TOPIC, WORKER_REQUESTS_TOPIC } from '@databridge/schemas/records/topics';
import {
  type CertificateRequest,
  decodeCertificateRequest,
  KEY_PAIR_WITHIN_MS,
  WORKER_REQUEST_HEADER,
} from '@databridge/schemas/requests/worker-requests';
import type { Role } from '@databridge/schemas/rights/route-rights';
import { mapSecrets, SECRET_MASK } from '@databridge/schemas/subscription/secret-places';
import { formatIssues, parseSubscription, type Subscription } from '@databridge/schemas/subscription/subscription';
import type { ControlPlaneContext } from '../context.ts';
import { readCustomer } from '../views/customer.ts';
import { applySubscriptions } from './apply.ts';
import { RefusedFields } from './checks/refused-fields.ts';

const LOOK_EVERY_MS = 250;
const CLIENT_KEY = 'tls.clientKey';

/**
 * @param from by partition: only requests from these offsets on
 * @returns the latest; undefined: none was asked for @throws {KafkaPortError}
 */
export async function certificateRequestOf(
  { kafka }: Pick<ControlPlaneContext, 'kafka'>,
  customer: string,
  from: ReadonlyMap<number, number> = new Map(),
): Promise<CertificateRequest | undefined> {
  let latest: CertificateRequest | undefined;
  await readTopicIfAny(kafka, CERTIFICATE_REQUESTS_TOPIC, {
    within: (_topic, partition) => ({ from: from.get(partition) ?? 0 }),
    onBatch({ records }) {
      for (const { key, value } of records) {
        if (key?.toString('utf8') !== customer) continue;
        latest = value === null ? undefined : decodeCertificateRequest(value);
      }
    },
  });
  return latest;
}

/**
 * Has the customer's worker make a key pair. The request before it, if any, is of no use any more.
 * @throws {DatabridgeError} DB_NOT_FOUND; DB_WORKER_UNANSWERED
 */
export async function requestCertificate(
  context: Pick<ControlPlaneContext, 'admin' | 'kafka' | 'producer' | 'subscriptions' | 'workerStatuses'>,
  customer: string,
  commonName: string,
): Promise<CertificateRequest> {
  await readCustomer(context, customer);
  const id = randomUUID();
  const headers = { [WORKER_REQUEST_HEADER]: 'key-pair' };
  const value = JSON.stringify({ id, commonName });
  // The answer is after all that is there now, and nothing before it is read again and again.
  const ends = await context.admin.watermarks(CERTIFICATE_REQUESTS_TOPIC);
  const from = new Map(ends.map(({ partition, high }) => [partition, high]));
  await context.producer.send([{ topic: WORKER_REQUESTS_TOPIC, key: customer, value, headers }]);
  const giveUpAtMs = systemClock.monotonicMs() + KEY_PAIR_WITHIN_MS;
  while (systemClock.monotonicMs() < giveUpAtMs) {
    const made = await certificateRequestOf(context, customer, from);
    if (made?.id === id) return made;
    await pause(LOOK_EVERY_MS);
  }
  throw new DatabridgeError(
    'DB_WORKER_UNANSWERED',
    `No worker made a key pair for "${customer}" within ${KEY_PAIR_WITHIN_MS / 1_000} s: see whether one runs, and try again`,
  );
}

/**
 * Puts the certificate, and the sealed key that it belongs to, into the subscription.
 * @param certificate PEM, the chain after it
 * @throws {DatabridgeError} DB_NOT_FOUND; DB_CONFLICT without a request; DB_INPUT_INVALID if it is for another key
 */
export async function saveCertificate(
  context: ControlPlaneContext,
  customer: string,
  certificate: string,
  role: Role,
): Promise<Subscription> {
  const { subscription: before } = await readCustomer(context, customer);
  const request = await certificateRequestOf(context, customer);
  if (request === undefined) {
    throw new DatabridgeError('DB_CONFLICT', `No certificate was requested for "${customer}": ask for one first`);
  }
  refuseOtherKey(certificate, request.csr);
  const wrong = context.desk.sealMistake(request.sealedKey, { customer, place: CLIENT_KEY });
  if (wrong !== undefined) throw new DatabridgeError('DB_CONFLICT', `The requested key ${wrong}: ask for a new one`);
  const tls = { ...before.tls, clientCertificate: certificate, clientKey: SECRET_MASK };
  const { secretsSetAt: _, fallbacks: __, granted: ___, awaitsApproval: ____, ...stated } = before;
  const parsed = parseSubscription(mapSecrets({ ...stated, tls }, () => SECRET_MASK));
  if (!parsed.ok) throw new DatabridgeError('DB_INPUT_INVALID', formatIssues(parsed.issues));
  const given = [{ subscription: parsed.subscription, sets: [] }];
  const { customers } = await applySubscriptions(context, given, role, {
    sealed: new Map([[CLIENT_KEY, request.sealedKey]]),
    detail: { certificateRequest: request.id },
  });
  return customers[0]?.stored ?? before;
}

/** @throws {RefusedFields} DB_INPUT_INVALID */
function refuseOtherKey(certificate: string, csr: string): void {
  let leaf: X509Certificate;
  try {
    leaf = new X509Certificate(certificate);
  } catch {
    throw refused('is not a certificate in PEM');
  }
  if (!leaf.publicKey.equals(publicKeyIn(csr))) {
    throw refused('is for another key than that of the latest certificate request: have that request signed');
  }
}

const refused = (message: string) => new RefusedFields('DB_INPUT_INVALID', [{ path: ['certificate'], message }]);

/** PKCS #10 puts the key's SubjectPublicKeyInfo, which for P-256 has one form alone, into its first part. */
function publicKeyIn(csr: string) {
  const bytes = Buffer.from(csr.replaceAll(/-----[A-Z ]+-----|\s/g, ''), 'base64');
  const from = bytes.indexOf(P256_SPKI_PREFIX);
  const der = bytes.subarray(from, from + P256_SPKI_PREFIX.length + P256_POINT_BYTES);
  return createPublicKey({ key: der, format: 'der', type: 'spki' });
}

/** SEQUENCE { SEQUENCE { id-ecPublicKey, prime256v1 }, BIT STRING (RFC 5480). */
const P256_SPKI_PREFIX = Buffer.from('3059301306072a8648ce3d020106082a8648ce3d030107034200', 'hex');
const P256_POINT_BYTES = 65;
