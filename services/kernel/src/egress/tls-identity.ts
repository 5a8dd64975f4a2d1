/**
 * A client certificate, its key and private authorities as OpenSSL sees them. The subscription's validator checks
 * whether they are PEM and belong together; whether OpenSSL accepts them shows only when the context is built.
 */
import { X509Certificate } from 'node:crypto';
import { createSecureContext, type SecureContext } from 'node:tls';

/** PEM. */
export interface TlsIdentity {
  readonly cert?: string;
  readonly key?: string;
  readonly ca?: string;
}

export interface TlsMistake {
  readonly place: 'clientCertificate' | 'clientKey' | 'ca';
  readonly message: string;
}

export type OpenedIdentity = { readonly context: SecureContext | undefined } | { readonly mistake: TlsMistake };

/** Never throws. `context` is undefined if Node's defaults apply. */
export function openTlsIdentity(identity: TlsIdentity): OpenedIdentity {
  const { cert, key, ca } = identity;
  if (cert === undefined && key === undefined && ca === undefined) return { context: undefined };
  try {
    return { context: createSecureContext(identity) };
  } catch (error) {
    return { mistake: mistakeOf(error as NodeJS.ErrnoException & { reason?: string }) };
  }
}

function mistakeOf({ code = '', reason, message }: NodeJS.ErrnoException & { reason?: string }): TlsMistake {
  switch (code) {
    case 'ERR_SSL_EE_KEY_TOO_SMALL':
      return { place: 'clientCertificate', message: `has a key that is too weak: ${STRONG_KEYS}` };
    case 'ERR_SSL_CA_KEY_TOO_SMALL':
      return {
        place: 'clientCertificate',
        message: `is followed by a certificate with too weak a key: ${STRONG_KEYS}`,
      };
    case 'ERR_SSL_CA_MD_TOO_WEAK':
    case 'ERR_SSL_EE_MD_TOO_WEAK':
      return { place: 'clientCertificate', message: `has too weak a signature: ${STRONG_SIGNATURES}` };
    case 'ERR_OSSL_X509_KEY_VALUES_MISMATCH':
      return { place: 'clientKey', message: 'does not belong to the client certificate' };
    case 'ERR_OSSL_BAD_DECRYPT':
    case 'ERR_MISSING_PASSPHRASE':
      return { place: 'clientKey', message: 'must not be encrypted: it is sealed when it is saved' };
    default:
      return { place: 'clientKey', message: `can't be used for TLS (${reason ?? (code || message)}): ${STRONG_KEYS}` };
  }
}

const STRONG_KEYS = 'use RSA with at least 2048 bits, P-256, P-384, P-521 or Ed25519';
const STRONG_SIGNATURES = 'have it signed with SHA-256 or better';
const MIN_RSA_BITS = 2_048;
const CURVES = new Set(['prime256v1', 'secp384r1', 'secp521r1']);

/**
 * Why this identity cannot be used, as far as that is known before a connection is made. This is stricter than loading
 * it into OpenSSL, which accepts material that then fails in every handshake: DSA keys, unusual curves, SHA-1
 * signatures, weak authorities, expired certificates.
 */
export function tlsIdentityMistakes(identity: TlsIdentity, nowMs: number): TlsMistake[] {
  const opened = openTlsIdentity(identity);
  const mistakes: TlsMistake[] = 'mistake' in opened ? [opened.mistake] : [];
  for (const place of ['clientCertificate', 'ca'] as const) {
    const pem = place === 'ca' ? identity.ca : identity.cert;
    const message = pem === undefined ? undefined : certificateMistake(pem, nowMs);
    if (message !== undefined && !mistakes.some((one) => one.place === place)) mistakes.push({ place, message });
  }
  return mistakes;
}

function certificateMistake(pem: string, nowMs: number): string | undefined {
  for (const block of pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? []) {
    const mistake = weakness(block, nowMs);
    if (mistake !== undefined) return mistake;
  }
  return undefined;
}

function weakness(block: string, nowMs: number): string | undefined {
  try {
    const certificate = new X509Certificate(block);
    const { asymmetricKeyType: type, asymmetricKeyDetails: details } = certificate.publicKey;
    if (type === 'dsa' || type === 'dh')
      return `has a ${type.toUpperCase()} key, which TLS no longer uses: ${STRONG_KEYS}`;
    if (details?.modulusLength !== undefined && details.modulusLength < MIN_RSA_BITS) {
      return `has an RSA key of ${details.modulusLength} bits, which is too weak: ${STRONG_KEYS}`;
    }
    if (type === 'ec' && !CURVES.has(details?.namedCurve ?? '')) {
      return `has a key on the curve ${details?.namedCurve ?? 'unknown'}, which TLS servers refuse: ${STRONG_KEYS}`;
    }
    const { signatureAlgorithm = '', subject, issuer } = certificate;
    // Nobody checks the signature of a self-signed certificate.
    if (subject !== issuer && /md[245]|sha-?1(?!\d)/i.test(signatureAlgorithm)) {
      return `is signed with ${signatureAlgorithm}, which is too weak: ${STRONG_SIGNATURES}`;
    }
    if (certificate.validToDate.getTime() < nowMs) {
      return `ran out on ${certificate.validToDate.toISOString()}: replace it`;
    }
    return undefined;
  } catch {
    // An unknown kind of key, for example.
    return `can't be read: ${STRONG_KEYS}`;
  }
}
