/** An OAuth 2 server (oidc-provider) at which clients are registered by their public keys (RFC 7591, RFC 7592). */
import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

/** In a process of its own: it tells plain objects by their prototype, which is another one within Jest. */
const SERVER = `
import { once } from 'node:events';
import { createServer } from 'node:http';
import { Provider } from 'oidc-provider';
const server = createServer().listen(0, '127.0.0.1');
await once(server, 'listening');
const origin = 'http://127.0.0.1:' + server.address().port;
const provider = new Provider(origin, {
  features: {
    clientCredentials: { enabled: true },
    devInteractions: { enabled: false },
    registration: { enabled: true, initialAccessToken: false },
    registrationManagement: { enabled: true, rotateRegistrationAccessToken: false },
  },
});
server.on('request', provider.callback());
console.log(origin);
`;

export interface RegisteredClient {
  readonly id: string;
  /** From then on, what another key signed is refused. */
  replaceKey(jwk: object): Promise<void>;
}

export interface RegistrationServer {
  readonly tokenUrl: string;
  register(jwk: object): Promise<RegisteredClient>;
}

const started = new Set<ChildProcess>();
afterAll(() => {
  for (const child of started) child.kill();
});

export async function startRegistrationServer(): Promise<RegistrationServer> {
  const child = spawn(process.execPath, ['--input-type=module', '-e', SERVER], {
    ...{ cwd: fileURLToPath(new URL('.', import.meta.url)), stdio: ['ignore', 'pipe', 'ignore'] },
  });
  started.add(child);
  let origin = '';
  for await (const line of createInterface({ input: child.stdout })) {
    if (!line.startsWith('http')) continue;
    origin = line;
    break;
  }
  const metadata = (jwk: object) => ({
    ...{ grant_types: ['client_credentials'], redirect_uris: [], response_types: [] },
    ...{ token_endpoint_auth_method: 'private_key_jwt', jwks: { keys: [jwk] } },
  });
  return {
    tokenUrl: `${origin}/token`,
    async register(jwk) {
      const created = await asked('POST', `${origin}/reg`, metadata(jwk));
      const id = String(created['client_id']);
      return {
        id,
        async replaceKey(next) {
          const token = String(created['registration_access_token']);
          await asked('PUT', `${origin}/reg/${id}`, { ...metadata(next), client_id: id }, token);
        },
      };
    },
  };
}

async function asked(method: string, url: string, body: object, token?: string): Promise<Record<string, unknown>> {
  const answer = await fetch(url, {
    method,
    headers: { 'content-type': 'application/json', ...(token !== undefined && { authorization: `Bearer ${token}` }) },
    body: JSON.stringify(body),
  });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${method} ${url}: ${answer.status} ${text}`);
  return JSON.parse(text) as Record<string, unknown>;
}
