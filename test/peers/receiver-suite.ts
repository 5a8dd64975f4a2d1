import type { Destination } from '@databridge/delivery/destination/destination';
import { ConnectionBudget } from '@databridge/delivery/egress/connection-budget';
import { message, openFor } from '../harness/destinations.ts';
import type { Certificates } from '../harness/peers/certificates.ts';
import type { Front } from '../harness/services/front.ts';

/** A web server of Debian in front of a `Front`, set up with these ports; all but `http` speak TLS by the private authority. */
export interface WebServer {
  readonly ports: Record<'http' | 'http1' | 'http2' | 'mutual' | 'basic' | 'limited' | 'hasty', number>;
  readonly certificates: Certificates;
  /** What stands behind it, and sees `x-protocol` as the server saw it. */
  readonly front: Front;
  /** What it answers to who shows no certificate, or a stranger's: within TLS, or as a status. */
  readonly withoutCertificate: string;
}

export const BASIC = { type: 'basic', username: 'acme', password: 'pa55 word' };

/** What a real HTTP server shows that one written for tests does not. */
export function receiverSuite(name: string, server: () => WebServer): void {
  const open = (port: keyof WebServer['ports'], parts: Record<string, unknown> = {}, options = {}): Destination => {
    const { ports, certificates } = server();
    const scheme = port === 'http' ? 'http' : 'https';
    const { destination, tls, ...rest } = parts;
    const url = `${scheme}://127.0.0.1:${ports[port]}/events?a=b`;
    return openFor(
      {
        destination: { type: 'http', url, ...(destination as object) },
        ...(scheme === 'https' && { tls: { ca: certificates.ca, ...(tls as object) } }),
        ...rest,
      },
      options,
    );
  };
  const outcomeOf = async (destination: Destination) => (await destination.send(message(), Date.now()))?.outcome;
  const sendMany = (destination: Destination, count: number) =>
    Promise.all(Array.from({ length: count }, () => destination.send(message(), Date.now())));

  describe(name, () => {
    beforeEach(() => {
      server().front.passed.length = 0;
      server().front.manner = 'pass';
    });

    test.each([
      ['http', 'HTTP/1.1'],
      ['http1', 'HTTP/1.1'],
      ['http2', 'HTTP/2.0'],
    ] as const)('over %s it is spoken to in %s', async (port, protocol) => {
      const body = JSON.stringify({ text: 'ü'.repeat(50_000) });
      const destination = open(port, { destination: { gzip: port === 'http2' } });
      expect((await destination.send(message({ body }), Date.now()))?.outcome).toEqual({
        kind: 'delivered',
        status: 200,
      });
      const [request] = server().front.passed;
      expect(request).toMatchObject({ method: 'POST', url: '/events?a=b', body });
      expect(request?.headers['x-protocol']).toBe(protocol);
    });

    test('HTTP/2 carries many at once over few connections, and each arrives once', async () => {
      const budget = new ConnectionBudget(1_000);
      const destination = open('http2', { maxInFlight: 50 }, { budget });
      const sent = await sendMany(destination, 300);
      expect(new Set(sent.map((one) => one?.outcome.kind))).toEqual(new Set(['delivered']));
      expect(new Set(server().front.passed.map(({ body }) => body)).size).toBe(300);
      expect(server().front.passed).toHaveLength(300);
      expect(budget.openCount).toBeLessThan(10);
    });

    test('no more connections than allowed, one customer or two', async () => {
      const budget = new ConnectionBudget(3);
      const [one, other] = [
        open('http1', { maxInFlight: 5 }, { budget }),
        open('http1', { maxInFlight: 5 }, { budget }),
      ];
      const sent = await Promise.all([sendMany(one, 40), sendMany(other, 40)]);
      expect(new Set(sent.flat().map((each) => each?.outcome.kind))).toEqual(new Set(['delivered']));
      expect(budget.openCount).toBeLessThanOrEqual(3);
    });

    test('Basic: accepted with the right password, and a clear error otherwise', async () => {
      expect(await outcomeOf(open('basic', { authentication: BASIC }))).toMatchObject({ kind: 'delivered' });
      const wrong = { ...BASIC, password: 'wrong' };
      expect(await outcomeOf(open('basic', { authentication: wrong }))).toMatchObject({
        kind: 'deauthorized',
        status: 401,
      });
    });

    test('mutual TLS: the client certificate is what lets us in', async () => {
      const { client, stranger } = server().certificates;
      const shown = (pair: { certificate: string; key: string }) => ({
        tls: { clientCertificate: pair.certificate, clientKey: pair.key },
      });
      expect(await outcomeOf(open('mutual', shown(client)))).toEqual({ kind: 'delivered', status: 200 });
      for (const parts of [{}, shown(stranger)]) {
        const outcome = await outcomeOf(open('mutual', parts));
        expect(JSON.stringify(outcome)).toMatch(new RegExp(server().withoutCertificate, 'i'));
      }
      expect(server().front.passed).toHaveLength(1);
    });

    test('a server that no trusted authority vouches for is sent nothing', async () => {
      const url = `https://127.0.0.1:${server().ports.http1}/`;
      const outcome = await outcomeOf(openFor({ destination: { type: 'http', url } }));
      expect(outcome).toMatchObject({ kind: 'retry', reason: expect.stringMatching(/certificate/i) });
      expect(server().front.passed).toHaveLength(0);
    });

    test('its limit is reported as 429', async () => {
      const sent = await sendMany(open('limited'), 20);
      const statuses = new Set(sent.map((one) => JSON.stringify({ ...one?.outcome, reason: undefined })));
      expect(statuses).toEqual(new Set(['{"kind":"delivered","status":200}', '{"kind":"retry","status":429}']));
    });

    test('its own time-out is reported as 504, ours as ours', async () => {
      server().front.manner = 'hang';
      expect(await outcomeOf(open('hasty'))).toMatchObject({ kind: 'retry', status: 504 });
      for (const port of ['http1', 'http2'] as const) {
        const outcome = await outcomeOf(open(port, { destination: { timeoutMs: 3_000 } }));
        expect(outcome).toEqual({ kind: 'retry', reason: 'no answer within 3000 ms' });
      }
    });

    test.each(['http1', 'http2'] as const)(
      'over %s an abort ends what is in flight, a close lets it end',
      async (port) => {
        const answered = Promise.withResolvers<void>();
        server().front.manner = { status: 200, after: answered.promise };
        const [aborted, closed] = [open(port), open(port)];
        const sending = [aborted, closed].map((destination) => destination.send(message(), Date.now()));
        await server().front.came(2);
        await aborted.abort();
        expect(await sending[0]).toBeUndefined();
        const closing = closed.close();
        answered.resolve();
        expect((await sending[1])?.outcome).toEqual({ kind: 'delivered', status: 200 });
        await closing;
      },
    );
  });
}
