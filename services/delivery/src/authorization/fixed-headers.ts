import type { Secret } from '@databridge/kernel/secrets/secret';
import type { Authentication } from '@databridge/schemas/subscription/authentication';
import type { Headers } from './authorizer.ts';

/** The authentication headers, where they are the same for every request. Basic follows RFC 7617, in UTF-8. */
export function fixedHeaders(authentication: Authentication<Secret>): Headers {
  switch (authentication.type) {
    case 'basic': {
      const pair = `${authentication.username}:${authentication.password.reveal()}`;
      return { authorization: `Basic ${Buffer.from(pair, 'utf8').toString('base64')}` };
    }
    case 'api-key':
      return { [authentication.name.toLowerCase()]: authentication.key.reveal() };
    case 'none':
    case 'oauth':
    case 'aws':
      return {};
  }
}
