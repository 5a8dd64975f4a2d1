/**
 * A certificate signing request (PKCS #10, RFC 2986) for a key that is made here. Node can sign one, but not encode it.
 */
import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto';

export interface MadeKeyPair {
  /** PKCS #8, PEM. The caller seals it at once. */
  readonly privateKey: string;
  /** PEM. */
  readonly csr: string;
}

/** ASN.1 tags, DER. */
const TAG = {
  integer: 0x02,
  bitString: 0x03,
  oid: 0x06,
  utf8String: 0x0c,
  sequence: 0x30,
  set: 0x31,
  attributes: 0xa0,
};
/** 1.2.840.10045.4.3.2: ecdsa-with-SHA256. */
const ECDSA_WITH_SHA256 = Buffer.from('2a8648ce3d040302', 'hex');
/** 2.5.4.3. */
const COMMON_NAME = Buffer.from('550403', 'hex');
const PEM_LINE = /.{1,64}/g;

/** Makes a P-256 key and a certificate signing request for it. @param commonName at most 64 characters (RFC 5280) */
export function makeKeyPair(commonName: string): MadeKeyPair {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return {
    privateKey: String(privateKey.export({ type: 'pkcs8', format: 'pem' })),
    csr: signedRequest(commonName, publicKey, privateKey),
  };
}

function signedRequest(commonName: string, publicKey: KeyObject, privateKey: KeyObject): string {
  const name = sequence(der(TAG.oid, COMMON_NAME), der(TAG.utf8String, Buffer.from(commonName)));
  const info = sequence(
    der(TAG.integer, Buffer.from([0])),
    sequence(der(TAG.set, name)),
    publicKey.export({ type: 'spki', format: 'der' }),
    der(TAG.attributes, Buffer.alloc(0)),
  );
  const signature = sign('sha256', info, { key: privateKey, dsaEncoding: 'der' });
  const request = sequence(
    info,
    sequence(der(TAG.oid, ECDSA_WITH_SHA256)),
    // The leading byte says how many bits of the last byte are unused.
    der(TAG.bitString, Buffer.concat([Buffer.from([0]), signature])),
  );
  const lines = request.toString('base64').match(PEM_LINE) ?? [];
  return `-----BEGIN CERTIFICATE REQUEST-----\n${lines.join('\n')}\n-----END CERTIFICATE REQUEST-----\n`;
}

const sequence = (...parts: readonly Buffer[]) => der(TAG.sequence, Buffer.concat(parts));

function der(tag: number, content: Buffer): Buffer {
  return Buffer.concat([Buffer.from([tag]), lengthOf(content.length), content]);
}

/** A length below 128 takes one byte; a longer one takes the number of its bytes, and then those. */
function lengthOf(length: number): Buffer {
  if (length < 128) return Buffer.from([length]);
  const digits = length.toString(16);
  const bytes = Buffer.from(digits.length % 2 === 0 ? digits : `0${digits}`, 'hex');
  return Buffer.concat([Buffer.from([0x80 | bytes.length]), bytes]);
}
