/**
 * The requests of control planes to the worker that owns a customer. The key of the record is the customer; a header
 * names the kind of request. A test has the same form as in a delivery topic: the same headers, and the document.
 */
import { z } from 'zod';
import { decodeJson } from '../json-record.ts';
import { CUSTOMER_PATTERN } from '../records/topics.ts';

export const WORKER_REQUEST_HEADER = 'databridge-request';

/** The time that a control plane waits for a key pair, in ms: after that, none is generated. */
export const KEY_PAIR_WITHIN_MS = 15_000;

/** A key pair for a client certificate. */
const keyPairRequest = z.object({
  /** The id of the request, which the answer repeats. */
  id: z.string(),
  /** The common name in the certificate request. */
  commonName: z.string(),
});
export type KeyPairRequest = z.infer<typeof keyPairRequest>;

/** @returns undefined if the value is not such a request */
export function decodeKeyPairRequest(value: Buffer): KeyPairRequest | undefined {
  return decodeJson(keyPairRequest, value);
}

const certificateRequest = z.object({
  id: z.string(),
  customer: z.string().regex(CUSTOMER_PATTERN),
  commonName: z.string(),
  /** PKCS #10, PEM. */
  csr: z.string(),
  /** The private key (PKCS #8, PEM) sealed for the delivery workers, bound to the customer and to `tls.clientKey`. */
  sealedKey: z.string(),
  /** When it was made, in ms since the epoch, by the worker's clock. */
  madeAtMs: z.number(),
});
export type CertificateRequest = z.infer<typeof certificateRequest>;

export const encodeCertificateRequest = (request: CertificateRequest): string => JSON.stringify(request);

/** @returns undefined if the value is not a key pair */
export function decodeCertificateRequest(value: Buffer): CertificateRequest | undefined {
  return decodeJson(certificateRequest, value);
}
