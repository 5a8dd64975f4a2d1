/**
 * A client certificate by request: a delivery worker makes the key pair, the customer has the request signed and hands
 * back the certificate. The private key never leaves the workers but sealed for them, so nobody else can use it.
 *
 *     asked ─▶ the worker makes the pair ─▶ request shown ─▶ signed elsewhere ─▶ certificate saved with the sealed key
 */
import { createPublicKey, type KeyObject, randomUUID, X509Certificate } from 'node:crypto';
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
export const CLIENT_KEY = 'tls.clientKey';

/** The common name if none is requested, of the greatest length (RFC 5280). */
export const usualName = (customer: string) => `databridge-${customer}`.slice(0, 64);

/**
 * @param from by partition: only requests from these offsets on
 * @returns the latest of each customer
 * @throws {KafkaPortError}
 */
export async function certificateRequests(
  { kafka }: Pick<ControlPlaneContext, 'kafka'>,
  from: ReadonlyMap<number, number> = new Map(),
): Promise<Map<string, CertificateRequest>> {
  const latest = new Map<string, CertificateRequest>();
  await readTopicIfAny(kafka, CERTIFICATE_REQUESTS_TOPIC, {
    within: (_topic, partition) => ({ from: from.get(partition) ?? 0 }),
    onBatch({ records }) {
      for (const { key, value } of records) {
        const customer = key?.toString('utf8') ?? '';
        const request = value === null ? undefined : decodeCertificateRequest(value);
        if (request === undefined) latest.delete(customer);
        else latest.set(customer, request);
      }
    },
  });
  return latest;
}

/** @returns the latest; undefined if none was made @throws {KafkaPortError} */
export async function certificateRequestOf(
  context: Pick<ControlPlaneContext, 'kafka'>,
  customer: string,
): Promise<CertificateRequest | undefined> {
  return (await certificateRequests(context)).get(customer);
}

/**
 * Makes the customer's worker generate a key pair, also for a customer that is not set up yet. The previous request, if
 * any, becomes useless.
 * @param id of the request
 * @throws {DatabridgeError} DB_WORKER_UNANSWERED
 */
export async function requestCertificate(
  context: Pick<ControlPlaneContext, 'admin' | 'kafka' | 'producer'>,
  customer: string,
  commonName: string,
  id: string = randomUUID(),
): Promise<CertificateRequest> {
  const headers = { [WORKER_REQUEST_HEADER]: 'key-pair' };
  const value = JSON.stringify({ id, commonName });
  // The answer comes after all existing records, which are not read again each time.
  const ends = await context.admin.watermarks(CERTIFICATE_REQUESTS_TOPIC);
  const from = new Map(ends.map(({ partition, high }) => [partition, high]));
  await context.producer.send([{ topic: WORKER_REQUESTS_TOPIC, key: customer, value, headers }]);
  const giveUpAtMs = systemClock.monotonicMs() + KEY_PAIR_WITHIN_MS;
  while (systemClock.monotonicMs() < giveUpAtMs) {
    const made = (await certificateRequests(context, from)).get(customer);
    if (made?.id === id) return made;
    await pause(LOOK_EVERY_MS);
  }
  throw new DatabridgeError(
    'DB_WORKER_UNANSWERED',
    `No worker made a key pair for "${customer}" within ${KEY_PAIR_WITHIN_MS / 1_000} s: check that one runs, and try again`,
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
    throw new DatabridgeError('DB_CONFLICT', `No certificate was requested for "${customer}": request one first`);
  }
  const sealedKey = await keyOf(context, request, certificate);
  const given = [{ subscription: withCertificate(before, certificate), sets: [] }];
  const { customers } = await applySubscriptions(context, given, role, {
    sealed: new Map([[CLIENT_KEY, sealedKey]]),
    detail: { certificateRequest: request.id },
  });
  return customers[0]?.stored ?? before;
}

/**
 * @param certificate PEM @returns the sealed key that it goes with
 * @throws {DatabridgeError} DB_CONFLICT if it can't be opened any more; DB_INPUT_INVALID if the certificate is for another
 */
export async function keyOf(
  { desk }: Pick<ControlPlaneContext, 'desk'>,
  { customer, csr, sealedKey }: CertificateRequest,
  certificate: string,
): Promise<string> {
  let leaf: X509Certificate;
  try {
    leaf = new X509Certificate(certificate);
  } catch {
    throw refused('is not a certificate in PEM');
  }
  if (!leaf.publicKey.equals(await publicKeyIn(csr))) {
    throw refused('is for another key than that of the latest certificate request: have that request signed');
  }
  const wrong = desk.sealMistake(sealedKey, { customer, place: CLIENT_KEY });
  if (wrong !== undefined) throw new DatabridgeError('DB_CONFLICT', `The requested key ${wrong}: request a new one`);
  return sealedKey;
}

/**
 * The stored subscription as a person would state it, with that certificate; its secrets are masks.
 * @throws {DatabridgeError} DB_INPUT_INVALID if it takes none
 */
export function withCertificate(before: Subscription, clientCertificate: string): Subscription {
  const tls = { ...before.tls, clientCertificate, clientKey: SECRET_MASK };
  const { secretsSetAt: _, fallbacks: __, granted: ___, awaitsApproval: ____, ...stated } = before;
  const parsed = parseSubscription(mapSecrets({ ...stated, tls }, () => SECRET_MASK));
  if (!parsed.ok) throw new DatabridgeError('DB_INPUT_INVALID', formatIssues(parsed.issues));
  return parsed.subscription;
}

const refused = (message: string) => new RefusedFields('DB_INPUT_INVALID', [{ path: ['certificate'], message }]);

/** @param csr PEM, as a worker made it */
async function publicKeyIn(csr: string): Promise<KeyObject> {
  // Loaded at first use: it takes 12 MB of memory.
  const { CertificationRequest } = await import('pkijs');
  const der = Buffer.from(csr.replaceAll(/-----[A-Z ]+-----|\s/g, ''), 'base64');
  const { subjectPublicKeyInfo } = CertificationRequest.fromBER(der);
  const spki = Buffer.from(subjectPublicKeyInfo.toSchema().toBER());
  return createPublicKey({ key: spki, format: 'der', type: 'spki' });
}
