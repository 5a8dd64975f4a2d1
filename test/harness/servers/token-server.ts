import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Provider } from 'oidc-provider';
import { Front } from '../services/front.ts';

export const CLIENT = { id: 'data bridge:1', secret: 'client-s3cret/+%' };
/** Its secret must be a parameter of the request's body. */
export const BODY_CLIENT = { id: 'by-body', secret: 'other-s3cret/+%' };

/** A real OAuth 2 server (oidc-provider), and a front before it that shows what it is asked. */
export interface TokenServer {
  readonly url: string;
  readonly front: Front;
  /** Whether the server knows the token, and it has not ended. */
  isValid(token: string): Promise<boolean>;
  revoke(token: string): Promise<void>;
}

/**
 * @param lifetimeSeconds of its tokens, asked for each
 * @param audience makes its tokens JWTs for this audience, which others can verify by its keys; left out: opaque ones
 */
export async function startTokenServer(
  lifetimeSeconds: () => number = () => 600,
  audience?: string,
): Promise<TokenServer> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  started.add(server);
  const upstream = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const provider = quietly(
    () =>
      new Provider(upstream, {
        clients: [clientOf(CLIENT, 'client_secret_basic'), clientOf(BODY_CLIENT, 'client_secret_post')],
        scopes: ['events:write'],
        features: {
          clientCredentials: { enabled: true },
          devInteractions: { enabled: false },
          ...jwtsFor(audience, lifetimeSeconds),
        },
        ttl: { ClientCredentials: lifetimeSeconds },
      }),
  );
  server.on('request', provider.callback());
  const front = await Front.start(upstream);
  return {
    url: `${front.origin}/token`,
    front,
    isValid: async (token) => (await provider.ClientCredentials.find(token))?.isValid ?? false,
    revoke: async (token) => {
      await (await provider.ClientCredentials.find(token))?.destroy();
    },
  };
}

const clientOf = ({ id, secret }: typeof CLIENT, method: 'client_secret_basic' | 'client_secret_post') => ({
  ...{ client_id: id, client_secret: secret, token_endpoint_auth_method: method },
  ...{ grant_types: ['client_credentials'], redirect_uris: [], response_types: [], scope: 'events:write' },
});

function jwtsFor(audience: string | undefined, lifetimeSeconds: () => number) {
  if (audience === undefined) return {};
  return {
    resourceIndicators: {
      enabled: true,
      defaultResource: () => `urn:${audience}`,
      getResourceServerInfo: () => ({
        ...{ scope: 'events:write', audience, accessTokenTTL: lifetimeSeconds(), accessTokenFormat: 'jwt' as const },
      }),
    },
  };
}

/** It warns of keys and storage that are for tests only. */
function quietly<T>(make: () => T): T {
  const { warn } = console;
  console.warn = () => undefined;
  try {
    return make();
  } finally {
    console.warn = warn;
  }
}

const started = new Set<Server>();

afterAll(() => {
  for (const server of started) {
    server.close();
    server.closeAllConnections();
  }
});
