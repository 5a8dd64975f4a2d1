/** Which of a name's addresses a connection leads to, and for how long it is used. */
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { createSecureServer, type Http2SecureServer, type ServerHttp2Session } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { ConnectionBudget } from '@databridge/delivery/egress/connection-budget';
import { Egress } from '@databridge/delivery/egress/dispatcher';
import { EgressGuard, type FailedDial } from '@databridge/delivery/egress/egress-guard';
import type { EgressPool } from '@databridge/delivery/egress/egress-pool';
import { EgressPolicy } from '@databridge/kernel/egress/egress-policy';
import { eventually } from '../harness/eventually.ts';
import { DnsServer } from '../harness/servers/dns-server.ts';

const NAME = 'hook.acme.example';
const [FIRST, SECOND] = ['127.0.0.2', '127.0.0.3'];
const LOOPBACK = new EgressPolicy({ allowCidrs: ['127.0.0.0/8'], denyCidrs: [], allowHttp: true });

let dns: DnsServer;
const ended: (() => unknown)[] = [];

beforeEach(async () => {
  dns = await DnsServer.start();
});
afterEach(async () => {
  for (const end of ended.splice(0).reverse()) await end();
  dns.close();
});

function openPool(
  origin: string,
  more: { onFailed?: (failed: FailedDial) => void; maxAgeMs?: number; ca?: string } = {},
): EgressPool {
  const egress = new Egress({
    guard: new EgressGuard(LOOPBACK, dns.lookup, more.onFailed),
    budget: new ConnectionBudget(100),
    ...(more.maxAgeMs !== undefined && { maxAgeMs: more.maxAgeMs }),
  });
  const pool = egress.openPool(new URL(origin), {
    connectTimeoutMs: 5_000,
    ...(more.ca !== undefined && { tls: { ca: more.ca } }),
  });
  ended.push(() => pool.destroy());
  return pool;
}

async function post(pool: EgressPool, origin: string): Promise<string> {
  const { body } = await pool.request({ origin, method: 'POST', path: '/', body: '{}' });
  return body.text();
}

/**
 * An endpoint whose accept queue is full until it is released: the kernel drops the request to connect, and sends it
 * again a second later. No delay is built in anywhere else.
 */
class SlowToAccept {
  readonly #host: string;
  readonly #worker: Worker;
  readonly #released = new Int32Array(new SharedArrayBuffer(4));
  readonly #filling: ReturnType<typeof connect>[] = [];
  port = 0;

  private constructor(host: string) {
    this.#host = host;
    const program = `
      const { createServer } = require('node:http');
      const { parentPort, workerData } = require('node:worker_threads');
      const server = createServer((_request, response) => response.end('slow'));
      server.listen({ host: workerData.host, port: 0, backlog: 1 }, () => {
        parentPort.postMessage(server.address().port);
        Atomics.wait(workerData.released, 0, 0);
      });`;
    this.#worker = new Worker(program, { eval: true, workerData: { host, released: this.#released } });
  }

  static async start(host: string): Promise<SlowToAccept> {
    const endpoint = new SlowToAccept(host);
    [endpoint.port] = (await once(endpoint.#worker, 'message')) as [number];
    // A queue of 1 has room for two.
    for (let n = 0; n < 2; n++) {
      const socket = connect(endpoint.port, host).on('error', () => undefined);
      endpoint.#filling.push(socket);
      await once(socket, 'connect');
    }
    return endpoint;
  }

  /** Whether a request to connect stays unanswered: on loopback, an answer comes within the same moment. */
  hasDroppedOne(): boolean {
    const [address, port] = [this.#host.split('.').reverse(), [this.port >> 8, this.port & 0xff]].map((bytes) =>
      Buffer.from(bytes.map(Number)).toString('hex').toUpperCase(),
    );
    // 02 is SYN_SENT.
    return readFileSync('/proc/net/tcp', 'utf8').includes(` ${address}:${port} 02 `);
  }

  release(): void {
    Atomics.store(this.#released, 0, 1);
    Atomics.notify(this.#released, 0);
  }

  async stop(): Promise<void> {
    this.release();
    for (const socket of this.#filling) socket.destroy();
    await this.#worker.terminate();
  }
}

test('a first address that takes a second to accept delivers, though the second refuses', async () => {
  const slow = await SlowToAccept.start(FIRST);
  ended.push(() => slow.stop());
  dns.script(NAME, [FIRST, SECOND]);
  const failed: FailedDial[] = [];
  const origin = `http://${NAME}:${slow.port}`;
  const pool = openPool(origin, { onFailed: (one) => failed.push(one) });

  const beganAtMs = performance.now();
  const answer = post(pool, origin);
  await eventually(
    async () => slow.hasDroppedOne(),
    (dropped) => dropped,
    20_000,
  );
  slow.release();

  expect(await answer).toBe('slow');
  expect(performance.now() - beganAtMs).toBeGreaterThan(900);
  expect(failed).toEqual([]);
});

test('with two dead addresses, operators learn which they are and why; the error for the customer names neither', async () => {
  const unused = createServer().listen(0, '127.0.0.1');
  await once(unused, 'listening');
  const { port } = unused.address() as AddressInfo;
  ended.push(() => unused.close());
  dns.script(NAME, [FIRST, SECOND]);
  const failed: FailedDial[] = [];
  const origin = `http://${NAME}:${port}`;
  const pool = openPool(origin, { onFailed: (one) => failed.push(one) });

  const error: Error = await post(pool, origin).then(
    () => Promise.reject(new Error('sent')),
    (thrown) => thrown,
  );
  expect(error.message).toBe('none of 2 addresses accepted a connection: 2 × connection refused');
  expect(failed).toEqual([
    {
      host: NAME,
      attempts: [FIRST, SECOND].map((address) => ({ address, code: 'ECONNREFUSED', afterMs: expect.any(Number) })),
    },
  ]);
});

describe('a connection that is older than the limit takes no new request, though requests follow without a pause', () => {
  const IN_FLIGHT = 4;
  const MAX_AGE_MS = 300;
  /** Of the new host, in a row. */
  const ENOUGH = 100;

  /** Sends until the new host has had enough, and returns which host answered each request, in the order of the answers. */
  async function hostsThatAnswer(origin: string, ca?: string): Promise<string[]> {
    dns.script(NAME, [FIRST], [SECOND]);
    const pool = openPool(origin, { maxAgeMs: MAX_AGE_MS, ...(ca !== undefined && { ca }) });
    const answers: string[] = [];
    const deadlineMs = performance.now() + 30_000;
    let inARow = 0;
    const sendOn = async () => {
      while (inARow < ENOUGH && performance.now() < deadlineMs) {
        const host = await post(pool, origin);
        answers.push(host);
        inARow = host === SECOND ? inARow + 1 : 0;
      }
    };
    await Promise.all(Array.from({ length: IN_FLIGHT }, sendOn));
    return answers;
  }

  function expectMoved(answers: readonly string[]): void {
    expect(answers[0]).toBe(FIRST);
    expect(answers.slice(-ENOUGH)).toEqual(Array.from({ length: ENOUGH }, () => SECOND));
  }

  test('over HTTP/1.1', async () => {
    let port = 0;
    for (const host of [FIRST, SECOND]) {
      const server: Server = createServer((request, response) => request.resume().on('end', () => response.end(host)));
      await once(server.listen(port, host), 'listening');
      ({ port } = server.address() as AddressInfo);
      ended.push(
        () => server.closeAllConnections(),
        () => server.close(),
      );
    }
    expectMoved(await hostsThatAnswer(`http://${NAME}:${port}`));
  });

  test('one that is idle is closed when its time is over', async () => {
    dns.script(NAME, [FIRST]);
    const server: Server = createServer((request, response) => request.resume().on('end', () => response.end(FIRST)));
    // The pool itself would keep it for 30 s.
    server.keepAliveTimeout = 120_000;
    await once(server.listen(0, FIRST), 'listening');
    ended.push(
      () => server.closeAllConnections(),
      () => server.close(),
    );
    const closed = new Promise<void>((resolve) => {
      server.on('connection', (socket) => socket.on('close', () => resolve()));
    });
    const origin = `http://${NAME}:${(server.address() as AddressInfo).port}`;
    expect(await post(openPool(origin, { maxAgeMs: MAX_AGE_MS }), origin)).toBe(FIRST);
    await closed;
  }, 20_000);

  test('over HTTP/2, where one connection carries all requests', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'databridge-egress-'));
    ended.push(() => rmSync(dir, { recursive: true }));
    const ec = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-keyout', 'key.pem'];
    const name = ['-subj', `/CN=${NAME}`, '-addext', `subjectAltName=DNS:${NAME}`];
    execFileSync('openssl', ['req', '-x509', ...ec, '-days', '2', ...name, '-out', 'cert.pem'], {
      ...{ cwd: dir, stdio: 'ignore' },
    });
    const [key, cert] = ['key.pem', 'cert.pem'].map((file) => readFileSync(join(dir, file), 'utf8'));
    let port = 0;
    const versions = new Set<string>();
    for (const host of [FIRST, SECOND]) {
      const sessions = new Set<ServerHttp2Session>();
      const server: Http2SecureServer = createSecureServer(
        { key: key as string, cert: cert as string },
        (request, response) => {
          versions.add(request.httpVersion);
          request.resume().on('end', () => response.end(host));
        },
      );
      server.on('session', (session) => sessions.add(session));
      await once(server.listen(port, host), 'listening');
      ({ port } = server.address() as AddressInfo);
      ended.push(() => {
        for (const session of sessions) session.destroy();
        server.close();
      });
    }
    expectMoved(await hostsThatAnswer(`https://${NAME}:${port}`, cert));
    expect([...versions]).toEqual(['2.0']);
  });
});
