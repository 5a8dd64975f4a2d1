/** The client authenticates by a key instead of a secret: each token request has a new assertion (RFC 7523 §2.2). */
import { createPrivateKey, type KeyObject, randomUUID, sign } from 'node:crypto';
import { DatabridgeError } from '@databridge/kernel/errors';
import type { Secret } from '@databridge/kernel/secrets/secret';
import { systemClock } from '@databridge/kernel/time/clock';
import type { OAuthAuthentication } from '@databridge/schemas/subscription/authentication';
import type { ClientAuth } from 'oauth4webapi';

const ASSERTION_TYPE = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';
/**
 * Long enough for a server that is slow or whose clock is behind, and short enough that a stolen assertion is soon
 * useless.
 */
const LIFETIME_SECONDS = 60;

/** @throws {DatabridgeError} DB_INPUT_INVALID for a key that no JWT algorithm supports: nothing is sent */
export function byAssertion(authentication: OAuthAuthentication<Secret>): ClientAuth {
  const { clientId, clientKey, clientKeyId, assertionAudience, tokenUrl } = authentication;
  const key = createPrivateKey(clientKey?.reveal() ?? '');
  const { alg, hash } = algorithmOf(key);
  const nowSeconds = Math.floor(systemClock.nowMs() / 1_000);
  const header = { alg, typ: 'JWT', ...(clientKeyId !== undefined && { kid: clientKeyId }) };
  const claims = {
    ...{ iss: clientId, sub: clientId, aud: assertionAudience ?? tokenUrl, jti: randomUUID() },
    ...{ iat: nowSeconds, nbf: nowSeconds, exp: nowSeconds + LIFETIME_SECONDS },
  };
  const signed = [header, claims].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.');
  const signature = sign(hash, Buffer.from(signed), { key, dsaEncoding: 'ieee-p1363' }).toString('base64url');
  return (_server, _client, body) => {
    body.set('client_id', clientId);
    body.set('client_assertion_type', ASSERTION_TYPE);
    body.set('client_assertion', `${signed}.${signature}`);
  };
}

/** RFC 7518 §3.1, RFC 8037: the algorithm that fits the key. RSA keys use RS256, which every server supports. */
function algorithmOf({ asymmetricKeyType: type, asymmetricKeyDetails: details }: KeyObject) {
  if (type === 'rsa') return { alg: 'RS256', hash: 'sha256' };
  if (type === 'ed25519') return { alg: 'EdDSA', hash: null };
  const curves: Readonly<Record<string, { alg: string; hash: string }>> = {
    prime256v1: { alg: 'ES256', hash: 'sha256' },
    secp384r1: { alg: 'ES384', hash: 'sha384' },
    secp521r1: { alg: 'ES512', hash: 'sha512' },
  };
  const found = type === 'ec' ? curves[details?.namedCurve ?? ''] : undefined;
  if (found !== undefined) return found;
  throw new DatabridgeError(
    'DB_INPUT_INVALID',
    `authentication.clientKey is a key of the type ${type}: an RSA, EC (P-256, P-384, P-521) or Ed25519 key is needed`,
  );
}
