/** Mutual TLS and private authorities: a customer's PEM texts, checked without a connection. */
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { z } from 'zod';
import { SECRET_MASK } from './secret-places.ts';
import { SECRET_RULES } from './secret-rules.ts';

export interface Tls<S = string> {
  /** PEM, followed by its chain. */
  readonly clientCertificate?: string;
  /** PEM. */
  readonly clientKey?: S;
  /** PEM of the only trusted authorities, which replace the public ones. */
  readonly ca?: string;
}

const certificates = z.string().refine((pem) => readCertificates(pem) !== undefined, 'is not a certificate in PEM');

export function tlsSchema(key: z.ZodString) {
  return z
    .strictObject({
      clientCertificate: certificates.optional(),
      clientKey: key.optional(),
      ca: certificates.optional(),
    })
    .optional();
}

/** The key as a person enters it: unencrypted, since its passphrase would have to be stored in the same place. */
export const plainClientKey = z
  .string()
  .regex(SECRET_RULES.clientKey.pattern, SECRET_RULES.clientKey.message)
  .refine((pem) => pem === SECRET_MASK || readKey(pem) !== undefined, 'is not a private key that can be read');

/** @returns a mistake that concerns both certificate and key */
export function keyMismatch(certificate: string, key: string): string | undefined {
  const [first] = readCertificates(certificate) ?? [];
  const parsedKey = readKey(key);
  if (!first || !parsedKey) return undefined;
  return first.checkPrivateKey(parsedKey) ? undefined : 'does not belong to the client certificate';
}

/** The time before its expiry at which the customer is asked for the next one. */
const NOTICE_MS = 30 * 86_400_000;

/** @returns a warning, although the PEM is well-formed: it has expired, expires soon, or is not valid yet */
export function validityWarning(pem: string, nowMs: number): string | undefined {
  for (const certificate of readCertificates(pem) ?? []) {
    if (certificate.validToDate.getTime() < nowMs) return `ran out on ${certificate.validToDate.toISOString()}`;
    if (certificate.validFromDate.getTime() > nowMs) {
      return `is not valid before ${certificate.validFromDate.toISOString()}`;
    }
    if (certificate.validToDate.getTime() < nowMs + NOTICE_MS) {
      return `runs out soon, on ${certificate.validToDate.toISOString()}`;
    }
  }
  return undefined;
}

function readCertificates(pem: string): X509Certificate[] | undefined {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g);
  if (!blocks) return undefined;
  try {
    return blocks.map((block) => new X509Certificate(block));
  } catch {
    return undefined;
  }
}

function readKey(pem: string) {
  try {
    return createPrivateKey(pem);
  } catch {
    return undefined;
  }
}
