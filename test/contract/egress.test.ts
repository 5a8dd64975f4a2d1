/** No socket is opened to an address that the egress policy refuses, whatever name, spelling or answer leads there. */
import { once } from 'node:events';
import { createServer, type Server } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { ConnectionBudget } from '@databridge/delivery/egress/connection-budget';
import { Egress } from '@databridge/delivery/egress/dispatcher';
import { type Connector, EgressGuard } from '@databridge/delivery/egress/egress-guard';
import { EgressPolicy } from '@databridge/kernel/egress/egress-policy';
import { type Dispatcher, Pool } from 'undici';
import { message, openFor } from '../harness/destinations.ts';
import { DnsServer } from '../harness/servers/dns-server.ts';

const PUBLIC = '93.184.216.34';
/** Stands for what is public: of loopback, so that it can be dialed here. */
const OPEN = '127.0.0.2';
const CLOSED = '127.0.0.1';
const POLICY = new EgressPolicy({ allowCidrs: [OPEN], denyCidrs: [], allowHttp: true });
const NAME = 'hook.acme.example';

/** An endpoint at one address that counts who connects. */
class Endpoint {
  connections = 0;
  readonly requests: string[] = [];
  readonly #server: Server;

  constructor(answer = 'HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n') {
    this.#server = createServer((socket) => {
      this.connections++;
      socket.on('error', () => undefined);
      socket.on('data', (data) => {
        this.requests.push(data.toString('latin1'));
        socket.write(answer);
      });
    });
    started.push(this.#server);
  }

  async listen(host: string, port = 0): Promise<number> {
    this.#server.listen(port, host);
    await once(this.#server, 'listening');
    return (this.#server.address() as { port: number }).port;
  }
}

const started: { close(): void }[] = [];
const pools: Dispatcher[] = [];
let dns: DnsServer;
let open: Endpoint;
let closed: Endpoint;
/** The same on both addresses: only the address decides where a connection goes. */
let port: number;

beforeEach(async () => {
  dns = await DnsServer.start();
  open = new Endpoint();
  closed = new Endpoint();
  port = await closed.listen(CLOSED);
  await open.listen(OPEN, port);
});

afterEach(async () => {
  await Promise.all(pools.splice(0).map((pool) => pool.destroy()));
  for (const server of started.splice(0)) server.close();
  dns.close();
});

/** @returns `sent`, or why not */
async function send(origin: string, connect: Connector): Promise<string> {
  const pool = new Pool(origin, { connect });
  pools.push(pool);
  try {
    const { body } = await pool.request({ method: 'POST', path: '/', body: '{}' });
    await body.dump();
    return 'sent';
  } catch (error) {
    const { code, message } = error as Error & { code?: string };
    return `${code}: ${message}`;
  }
}

const guarded = (policy = POLICY) => new EgressGuard(policy, dns.lookup).connect({});

describe('DNS rebinding', () => {
  test('gains nothing: public when it was saved, loopback when it is dialed', async () => {
    dns.script(NAME, [PUBLIC], [CLOSED]);
    // As saving does.
    const first = await new Promise<string | undefined>((resolve) => {
      dns.lookup(NAME, {}, (_error, [found]) => resolve(POLICY.addressRefusal(found?.address ?? '')));
    });
    expect(first).toBeUndefined();

    expect(await send(`http://${NAME}:${port}`, guarded())).toMatch(/^DB_EGRESS_REFUSED: .*loopback/);
    expect(dns.queries).toEqual([NAME, NAME]);
    expect(closed.connections).toBe(0);
  });

  test('gains nothing: public at the check, loopback at the next look-up', async () => {
    dns.script(NAME, [OPEN], [CLOSED]);
    expect(await send(`http://${NAME}:${port}`, guarded())).toBe('sent');
    expect(open.requests[0]).toMatch(`\r\nhost: ${NAME}:${port}\r\n`);
    expect(dns.queries).toEqual([NAME]);
    expect(closed.connections).toBe(0);
  });

  test('misleads code that checks first and dials the name later: so this trap works', async () => {
    dns.script(NAME, [OPEN], [CLOSED]);
    const naive: Connector = (target, callback) => {
      dns.lookup(target.hostname, {}, (_error, found) => {
        expect(found.every(({ address }) => POLICY.addressRefusal(address) === undefined)).toBe(true);
        dialByName(target, callback);
      });
    };
    const everywhere = new EgressPolicy({ allowCidrs: ['127.0.0.0/8'], denyCidrs: [], allowHttp: true });
    const dialByName = guarded(everywhere);
    expect(await send(`http://${NAME}:${port}`, naive)).toBe('sent');
    expect(closed.requests).toHaveLength(1);
  });

  test('is checked again for every socket, and kept-alive ones stay connected', async () => {
    dns.script(NAME, [OPEN], [CLOSED]);
    const origin = `http://${NAME}:${port}`;
    const pool = new Pool(origin, { connect: guarded(), connections: 1 });
    pools.push(pool);
    const post = async () => (await pool.request({ method: 'POST', path: '/', body: '{}' })).body.dump();
    await post();
    expect(await send(origin, guarded())).toMatch('DB_EGRESS_REFUSED');
    await post();
    expect([open.connections, open.requests.length, closed.connections]).toEqual([1, 2, 0]);
  });
});

describe('one refused address among those of a name is enough', () => {
  test.each([
    ['after an open one', [OPEN, CLOSED]],
    ['before an open one', [CLOSED, OPEN]],
    ['of IPv6', [OPEN, '::1']],
    ['of IPv6 that contains one of IPv4', [OPEN, '::ffff:127.0.0.1']],
    ['of NAT64', [OPEN, '64:ff9b::7f00:1']],
    ['of the cloud', ['169.254.169.254']],
    ['of the cloud that looks public', ['168.63.129.16']],
    ['of any interface', ['0.0.0.0']],
    ['of any interface, IPv6', ['::']],
    ['in the private network', ['10.0.0.1']],
  ])('%s', async (_where, addresses) => {
    dns.script(NAME, addresses);
    expect(await send(`http://${NAME}:${port}`, guarded())).toMatch(/^DB_EGRESS_REFUSED: hook\.acme\.example has/);
    expect([open.connections, closed.connections]).toEqual([0, 0]);
  });

  test('behind an alias', async () => {
    dns.script(NAME, { alias: 'internal.acme.example', of: [CLOSED] });
    expect(await send(`http://${NAME}:${port}`, guarded())).toMatch('DB_EGRESS_REFUSED');
    dns.script(NAME, { alias: 'elsewhere.acme.example', of: [OPEN] });
    expect(await send(`http://${NAME}:${port}`, guarded())).toBe('sent');
  });
});

test('the refusal does not tell the customer what a name means inside', async () => {
  dns.script('vault.internal', ['10.11.12.13']);
  expect(await send('http://vault.internal', guarded())).not.toMatch('10.11');
});

describe('customers read the kind of a failure, operators the address', () => {
  const sendTo = async (host: string) => {
    const guard = new EgressGuard(POLICY, dns.lookup);
    const parts = { destination: { type: 'http', url: `http://${host}:${port}` } };
    return (await openFor(parts, { guard }).send(message(), Date.now()))?.outcome;
  };

  test('of the egress policy', async () => {
    dns.script('vault.internal', ['10.11.12.13']);
    expect(await sendTo('vault.internal')).toEqual({
      kind: 'blocked',
      reason: 'vault.internal has an address that may not be sent to: it is a private address, and not public',
      operatorDetail: 'vault.internal leads to 10.11.12.13, which is a private address, and not public',
    });
  });

  test('of each address that accepts no connection', async () => {
    // Nobody listens at these.
    const policy = new EgressPolicy({ allowCidrs: ['127.0.0.0/8'], denyCidrs: [], allowHttp: true });
    dns.script(NAME, ['127.0.0.3', '127.0.0.4']);
    const parts = { destination: { type: 'http', url: `http://${NAME}:${port}` } };
    const sent = await openFor(parts, { guard: new EgressGuard(policy, dns.lookup) }).send(message(), Date.now());
    expect(sent?.outcome).toEqual({
      kind: 'retry',
      reason: 'ECONNREFUSED: none of 2 addresses accepted a connection: 2 × connection refused',
      operatorDetail: expect.stringMatching(
        /^127\.0\.0\.3: ECONNREFUSED after \d+ ms; 127\.0\.0\.4: ECONNREFUSED after \d+ ms$/,
      ),
    });
  });
});

test('a name that is not known is no refusal: it may be known again soon', async () => {
  expect(await send('http://unknown.acme.example', guarded())).toMatch(/^ENOTFOUND/);
});

/** No look-up happens for these: a guard that lives in the look-up alone never sees them. */
describe('what is an address already', () => {
  test.each([
    '127.0.0.1',
    '127.1',
    '0177.1',
    '0x7f000001',
    '2130706433',
    '１２７.０.０.１',
    '127。0。0。1',
    '127.0.0.1.',
    '%31%32%37.0.0.1',
    '0',
    '0.0.0.0',
    '[::]',
    '[::1]',
    '[::ffff:127.0.0.1]',
    '[::ffff:7f00:1]',
    '[::127.0.0.1]',
    '[64:ff9b::7f00:1]',
    'localhost',
    'localhost.',
    'x.localhost',
  ])('%s is refused', async (host) => {
    const anyHost = await new Endpoint().listen('::');
    const { origin } = new URL(`http://${host}:${anyHost}`);
    expect(await send(origin, guarded())).toMatch(/^DB_EGRESS_REFUSED/);
    expect(await send(new URL(`http://${host}:${port}`).origin, guarded())).toMatch(/^DB_EGRESS_REFUSED/);
    expect(dns.queries).toEqual([]);
    expect(closed.connections).toBe(0);
  });

  test('is dialed if it is open', async () => {
    expect(await send(`http://${OPEN}:${port}`, guarded())).toBe('sent');
  });
});

test('plain http is refused unless allowed', async () => {
  const httpsOnly = new EgressPolicy({ allowCidrs: [OPEN], denyCidrs: [], allowHttp: false });
  dns.script(NAME, [OPEN]);
  expect(await send(`http://${NAME}:${port}`, guarded(httpsOnly))).toMatch(/DB_EGRESS_REFUSED.*must use https/);
  expect(open.connections).toBe(0);
});

test('over TLS the certificate must match the name, and the checked address is dialed', async () => {
  const names: string[] = [];
  const server = createTlsServer({
    SNICallback(name, done) {
      names.push(name);
      done(new Error('no certificate here'));
    },
  }).on('tlsClientError', () => undefined);
  started.push(server);
  server.listen(0, OPEN);
  await once(server, 'listening');
  const tlsPort = (server.address() as { port: number }).port;
  dns.script(NAME, [OPEN], [CLOSED]);
  expect(await send(`https://${NAME}:${tlsPort}`, guarded())).not.toMatch('DB_EGRESS_REFUSED');
  expect(names).toEqual([NAME]);
  expect(await send(`https://${NAME}:${port}`, guarded())).toMatch(/^DB_EGRESS_REFUSED/);
  expect(closed.connections).toBe(0);
});

describe('every kind of way out is guarded: nothing is sent, and the outcome is `blocked`', () => {
  const AWS = {
    type: 'aws',
    accessKeyId: 'AKIAIOSFODNN7EXAMPLE',
    secretAccessKey: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY',
  };
  const token = (url: string) => ({
    destination: { type: 'http', url: `http://${OPEN}:${port}/` },
    authentication: { type: 'oauth', tokenUrl: `${url}/token`, clientId: 'c', clientSecret: 's' },
  });
  const ways: [string, (url: string) => Record<string, unknown>][] = [
    ['HTTP', (url) => ({ destination: { type: 'http', url } })],
    ['a handshake', (url) => ({ destination: { type: 'http', url, handshake: true, format: 'cloudevents-binary' } })],
    ['a token endpoint', token],
    ['API Gateway', (url) => ({ destination: { type: 'api-gateway', url, region: 'eu-west-1' }, authentication: AWS })],
    [
      'SQS',
      (url) => ({
        destination: { type: 'sqs', queueUrl: `${url}/123456789012/q`, region: 'eu-west-1' },
        authentication: AWS,
      }),
    ],
    [
      'SNS',
      (url) => ({
        destination: { type: 'sns', topicArn: 'arn:aws:sns:eu-west-1:123456789012:t', endpoint: url },
        authentication: AWS,
      }),
    ],
  ];

  test.each(ways)('%s', async (_way, parts) => {
    dns.script(NAME, [CLOSED]);
    for (const host of [NAME, CLOSED]) {
      const guard = new EgressGuard(POLICY, dns.lookup);
      const sent = await openFor(parts(`http://${host}:${port}`), { guard }).send(message(), Date.now());
      expect(sent?.outcome).toMatchObject({ kind: 'blocked', reason: expect.stringContaining('loopback') });
    }
    expect([closed.connections, open.connections]).toEqual([0, 0]);
  });
});

describe('through a proxy', () => {
  const tunnel = () => {
    const asked: string[] = [];
    const connector: Connector = ({ host = '' }, callback) => {
      asked.push(host);
      process.nextTick(callback, new Error('the tunnel'), null);
    };
    return { asked, through: new EgressGuard(POLICY, dns.lookup).throughProxy(connector) };
  };

  test.each([
    'https://10.0.0.1',
    'https://[::1]',
    'https://localhost',
    'https://2130706433',
    'https://private.example',
  ])('a tunnel to %s is not even asked for', async (origin) => {
    dns.script('private.example', ['192.168.1.1']);
    const { asked, through } = tunnel();
    expect(await send(new URL(origin).origin, through)).toMatch(/^DB_EGRESS_REFUSED/);
    expect(asked).toEqual([]);
  });

  test.each(['https://public.example', 'https://unknown-here.example', `https://${PUBLIC}`])(
    'a tunnel to %s is',
    async (origin) => {
      dns.script('public.example', [PUBLIC]);
      const { asked, through } = tunnel();
      expect(await send(origin, through)).toMatch('the tunnel');
      expect(asked).toEqual([new URL(origin).host]);
    },
  );

  const openPool = (proxy: string, url: string) => {
    const httpsOnly = new EgressPolicy({ allowCidrs: [OPEN], denyCidrs: [], allowHttp: false });
    const settings = { guard: new EgressGuard(httpsOnly, dns.lookup), budget: new ConnectionBudget(10) };
    const egress = new Egress({ ...settings, proxy: new URL(proxy) });
    const pool = egress.openPool(new URL(url), { connections: 1, connectTimeoutMs: 5_000 });
    pools.push(pool);
    return pool.request({ origin: new URL(url).origin, method: 'POST', path: '/', body: '{}' });
  };

  test('the address of the proxy itself is checked, though it may speak plain http', async () => {
    dns.script('proxy.example', [CLOSED], [OPEN]);
    const proxy = `http://proxy.example:${port}`;
    await expect(openPool(proxy, `https://${NAME}`)).rejects.toMatchObject({ code: 'DB_EGRESS_REFUSED' });
    expect([closed.connections, open.connections]).toEqual([0, 0]);

    await expect(openPool(proxy, `https://${NAME}`)).rejects.toThrow();
    expect(open.requests[0]).toMatch(/^CONNECT hook\.acme\.example:443 HTTP\/1\.1/);
  });

  test('so is the target, before the proxy hears of it', async () => {
    dns.script('private.example', ['192.168.1.1']);
    for (const url of ['https://private.example', 'https://10.0.0.1', 'https://[::1]', `http://${NAME}`]) {
      await expect(openPool(`http://${OPEN}:${port}`, url)).rejects.toMatchObject({ code: 'DB_EGRESS_REFUSED' });
    }
    expect(open.requests).toEqual([]);
  });
});
