/** A certificate signing request (PKCS #10, RFC 2986) for a key that is made here. */
import { KeyObject } from 'node:crypto';

export interface MadeKeyPair {
  /** PKCS #8, PEM. The caller seals it at once. */
  readonly privateKey: string;
  /** PEM. */
  readonly csr: string;
}

const P256 = { name: 'ECDSA', namedCurve: 'P-256' };
/** 2.5.4.3 of X.520. */
const COMMON_NAME = '2.5.4.3';

/** Makes a P-256 key and a certificate signing request for it. @param commonName at most 64 characters (RFC 5280) */
export async function makeKeyPair(commonName: string): Promise<MadeKeyPair> {
  // Loaded when it is first asked for: it takes 12 MB of memory, and most workers are never asked.
  const [{ AttributeTypeAndValue, CertificationRequest }, { Utf8String }] = await Promise.all([
    import('pkijs'),
    import('asn1js'),
  ]);
  const keys = await crypto.subtle.generateKey(P256, true, ['sign', 'verify']);
  const request = new CertificationRequest();
  const value = new Utf8String({ value: commonName });
  request.subject.typesAndValues.push(new AttributeTypeAndValue({ type: COMMON_NAME, value }));
  await request.subjectPublicKeyInfo.importKey(keys.publicKey);
  await request.sign(keys.privateKey, 'SHA-256');
  return {
    privateKey: String(KeyObject.from(keys.privateKey).export({ type: 'pkcs8', format: 'pem' })),
    csr: pem('CERTIFICATE REQUEST', request.toString('base64')),
  };
}

const pem = (label: string, base64: string) =>
  `-----BEGIN ${label}-----\n${base64.match(/.{1,64}/g)?.join('\n')}\n-----END ${label}-----\n`;
