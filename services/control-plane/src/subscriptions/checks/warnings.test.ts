import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { EgressPolicy } from '@databridge/kernel/egress/egress-policy';
import { parseSubscription, type Subscription } from '@databridge/schemas/subscription/subscription';
import { type Dial, type LookUp, settingWarnings, warningsOf } from './warnings.ts';

const STRICT = new EgressPolicy({ allowCidrs: [], denyCidrs: [], allowHttp: false });
const LOOSE = new EgressPolicy({ allowCidrs: ['10.0.0.0/8', '127.0.0.0/8'], denyCidrs: [], allowHttp: true });

function sentTo(url: string, customer = 'acme', tls?: Record<string, string>): Subscription {
  const destination = { type: 'http', url };
  const parsed = parseSubscription({
    customer,
    eventTypes: ['root-cause'],
    match: 'everything',
    destination,
    ...(tls && { tls }),
  });
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.issues));
  return parsed.subscription;
}

const names: Record<string, string[]> = {
  'public.example': ['93.184.216.34', '2606:4700::1'],
  'private.example': ['93.184.216.34', '10.1.2.3'],
  'down.example': ['93.184.216.35'],
};
const asked: string[] = [];
const lookUp: LookUp = async (hostname) => {
  asked.push(hostname);
  const addresses = names[hostname];
  if (addresses === undefined) throw Object.assign(new Error('not found'), { code: 'ENOTFOUND' });
  return addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }));
};
const dialed: string[] = [];
const dial: Dial = async (addresses, port) => {
  dialed.push(...addresses.map(({ address }) => `${address} ${port}`));
  if (addresses.some(({ address }) => address === '93.184.216.35')) {
    throw Object.assign(new Error('refused'), { code: 'ECONNREFUSED' });
  }
};
beforeEach(() => {
  asked.length = 0;
  dialed.length = 0;
});

test('tell of names that lead where nothing may be sent, or nowhere, and of hosts that take no connection', async () => {
  const given = ['public', 'private', 'unknown', 'private', 'down'].map((name, index) =>
    sentTo(`https://${name}.example/`, `c${index}`),
  );
  const path = ['destination', 'url'];
  expect(await warningsOf(given, STRICT, { lookUp, dial })).toEqual([
    {
      ...{ customer: 'c1', path },
      message:
        'private.example has an address that may not be sent to: it is a private address, and not public; events wait until that changes',
    },
    {
      ...{ customer: 'c2', path },
      message: "unknown.example can't be resolved from the control plane (ENOTFOUND); events wait until that changes",
    },
    { customer: 'c3', path, message: expect.not.stringContaining('10.1.2.3') },
    {
      ...{ customer: 'c4', path },
      message:
        'down.example accepts no connection from the control plane (ECONNREFUSED); events wait until that changes',
    },
  ]);
  expect(asked).toEqual(['public.example', 'private.example', 'unknown.example', 'down.example']);
  // Every address of a name is judged before any is dialed.
  expect(dialed).toEqual(['93.184.216.34 443', '2606:4700::1 443', '93.184.216.35 443']);
});

test('what is allowed is dialed and no more is said; addresses are not looked up; what is refused is left alone', async () => {
  const given = ['https://private.example:8443/', 'http://10.0.0.1/', 'https://[2606:4700::1]/'].map((url) =>
    sentTo(url),
  );
  expect(await warningsOf(given, LOOSE, { lookUp, dial })).toEqual([]);
  expect(asked).toEqual(['private.example']);
  expect(dialed.toSorted()).toEqual(['10.0.0.1 80', '10.1.2.3 8443', '2606:4700::1 443', '93.184.216.34 8443']);
  dialed.length = 0;
  expect(
    await warningsOf([sentTo('https://10.0.0.1/'), sentTo('http://public.example/')], STRICT, { lookUp, dial }),
  ).toEqual([]);
  expect(dialed).toEqual([]);
});

describe('with sockets', () => {
  let server: Server;
  let port = 0;
  beforeAll(async () => {
    server = createServer();
    await once(server.listen(0, '127.0.0.1'), 'listening');
    port = (server.address() as AddressInfo).port;
  });
  afterAll(() => server.close());

  test('a listening endpoint is fine, by address or by name; another one is reported', async () => {
    const local: LookUp = async () => [{ address: '127.0.0.1', family: 4 }];
    const all = [sentTo(`http://127.0.0.1:${port}/`), sentTo(`http://any.example:${port}/`)];
    expect(await warningsOf(all, LOOSE, { lookUp: local })).toEqual([]);
    const gone = createServer();
    await once(gone.listen(0, '127.0.0.1'), 'listening');
    const { port: nobodys } = gone.address() as AddressInfo;
    gone.close();
    await once(gone, 'close');
    const [warning] = await warningsOf([sentTo(`http://any.example:${nobodys}/`)], LOOSE, { lookUp: local });
    expect(warning?.message).toBe(
      "any.example can't be reached from the control plane; events wait until that changes",
    );
  });
});

test('certificates that have run out, or soon will', async () => {
  const openssl = (...args: string[]) =>
    execFileSync('openssl', args, { stdio: ['ignore', 'pipe', 'ignore'] }).toString();
  const both = openssl(
    ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '90'],
    ...['-subj', '/CN=acme', '-keyout', '-', '-out', '-'],
  );
  const key = /-----BEGIN PRIVATE KEY[\s\S]+END PRIVATE KEY-----/.exec(both)?.[0] ?? '';
  const certificate = /-----BEGIN CERTIFICATE[\s\S]+END CERTIFICATE-----/.exec(both)?.[0] ?? '';
  const given = [
    sentTo('https://public.example/', 'acme', { clientCertificate: certificate, clientKey: key, ca: certificate }),
  ];
  const inDays = (days: number) => warningsOf(given, STRICT, { lookUp, dial, nowMs: Date.now() + days * 86_400_000 });
  expect(await inDays(1)).toEqual([]);
  expect(await inDays(61)).toEqual([
    { customer: 'acme', path: ['tls', 'clientCertificate'], message: expect.stringMatching(/^runs out soon/) },
    { customer: 'acme', path: ['tls', 'ca'], message: expect.stringMatching(/^runs out soon/) },
  ]);
  expect((await inDays(91)).map(({ message }) => message)).toEqual([
    expect.stringMatching(/^ran out on/),
    expect.stringMatching(/^ran out on/),
  ]);
});

test('a secret that looks like a placeholder is named by its place, and not quoted', () => {
  const authentication = { type: 'basic', username: 'u', password: '{{ password }}' } as const;
  const found = settingWarnings({ ...sentTo('https://public.example/'), match: { company: ['ACME'] }, authentication });
  expect(found).toEqual([
    {
      path: ['authentication', 'password'],
      message: 'looks like a placeholder that was not filled in; it is sent as it is',
    },
  ]);
});

test('a blank around a text to match is warned of', () => {
  const match = { company: ['ACME', 'Globex '], folder: ['\tSupport'] };
  expect(settingWarnings({ ...sentTo('https://public.example/'), match }).map(({ path }) => path.join('.'))).toEqual([
    'match.company.1',
    'match.folder.0',
  ]);
});
