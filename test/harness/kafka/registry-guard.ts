import { once } from 'node:events';
import { createServer, request as forward, type RequestListener } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { AddressInfo } from 'node:net';

export interface GuardOptions {
  /** The `Authorization` header that is let through; others get 401, with what they sent. */
  readonly authorization?: () => string;
  /** Serves https; with `clientCa`, only clients that it has signed. PEM. */
  readonly tls?: { readonly cert: string; readonly key: string; readonly clientCa?: string };
}

/** A proxy in front of a registry that asks for credentials. Closed with the test file that started it. */
export async function startRegistryGuard(
  registryUrl: string,
  options: GuardOptions,
): Promise<{ readonly url: string }> {
  const { authorization, tls } = options;
  const target = new URL(registryUrl);
  const listener: RequestListener = (request, response) => {
    if (authorization !== undefined && request.headers.authorization !== authorization()) {
      const message = `not you: ${request.headers.authorization}`;
      response.writeHead(401).end(JSON.stringify({ error_code: 40101, message }));
      return;
    }
    const path = target.pathname.replace(/\/$/, '') + request.url;
    const { method, headers } = request;
    const onward = forward({ host: target.hostname, port: target.port, path, method, headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    });
    onward.on('error', () => response.destroy());
    request.pipe(onward);
  };
  const server = tls
    ? createSecureServer(
        { cert: tls.cert, key: tls.key, ...(tls.clientCa && { ca: tls.clientCa, requestCert: true }) },
        listener,
      )
    : createServer(listener);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  running.add(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `${tls ? 'https' : 'http'}://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

const running = new Set<() => void>();

afterAll(() => {
  for (const stop of running) stop();
});
