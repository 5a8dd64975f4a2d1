import type { Secret } from '@databridge/kernel/secret';
import type { Authentication } from '@databridge/schemas/subscription';

/** The headers that tell the destination who we are. RFC 7617 for Basic, in UTF-8. */
export function authorizationHeaders(authentication: Authentication<Secret>): Readonly<Record<string, string>> {
  switch (authentication.type) {
    case 'none':
      return {};
    case 'basic': {
      const pair = `${authentication.username}:${authentication.password.reveal()}`;
      return { authorization: `Basic ${Buffer.from(pair, 'utf8').toString('base64')}` };
    }
    case 'api-key':
      return { [authentication.name.toLowerCase()]: authentication.key.reveal() };
  }
}
