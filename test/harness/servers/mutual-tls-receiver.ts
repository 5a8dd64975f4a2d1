import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { TLSSocket } from 'node:tls';
import type { Certificates } from '../peers/certificates.ts';

/** Accepts whoever has a certificate of the authority, and nobody else. */
export interface MutualTlsReceiver {
  readonly origin: string;
  /** The common name of whoever sent each request. */
  readonly subjects: readonly unknown[];
  stop(): void;
}

export async function startMutualTlsReceiver({ dir, ca }: Certificates): Promise<MutualTlsReceiver> {
  const file = (name: string) => readFileSync(join(dir, name));
  const subjects: unknown[] = [];
  const server = createServer(
    { key: file('server.key'), cert: file('server.crt'), ca, requestCert: true, rejectUnauthorized: true },
    (request, response) => {
      subjects.push((request.socket as TLSSocket).getPeerCertificate().subject.CN);
      request.resume().on('end', () => response.end());
    },
  ).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const stop = () => {
    server.closeAllConnections();
    server.close();
  };
  started.add(stop);
  return {
    origin: `https://127.0.0.1:${(server.address() as AddressInfo).port}`,
    subjects,
    stop,
  };
}

const started = new Set<() => void>();
// A test that fails leaves none open: that would keep Jest from ending.
afterAll(() => {
  for (const stop of started) stop();
});
