/** Notices by mail, against a mail server that others wrote. */
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { EgressPolicy } from '@databridge/kernel/egress/egress-policy';
import { Secret } from '@databridge/kernel/secrets/secret';
import { mapSecrets } from '@databridge/schemas/subscription/secret-places';
import { formatIssues, parseSubscription } from '@databridge/schemas/subscription/subscription';
import { SMTPServer, type SMTPServerOptions } from 'smtp-server';
import { ConnectionBudget } from '../../egress/connection-budget.ts';
import { Egress } from '../../egress/dispatcher.ts';
import { EgressGuard } from '../../egress/egress-guard.ts';
import type { Destination } from '../destination.ts';
import { openDestination } from '../open-destination.ts';

const PASSWORD = 'a-password-of-mail';
const NOTICE = {
  ...{ schema_version: 'v1.0', noticeid: 'acme/held', kind: 'held', state: 'raised', severity: 'warning' },
  text: 'Deliveries to "acme" are held since 11:00.\r\nBcc: nobody@example.com. They go on by themselves.',
};
const message = (more: object = {}) => ({
  ...{ eventId: 'evt_1', eventType: 'notice', schemaVersion: 'v1.0', attempt: 1, traceparent: undefined },
  body: Buffer.from(JSON.stringify({ ...NOTICE, ...more })),
});

const folder = mkdtempSync(join(tmpdir(), 'databridge-mail-'));
function selfSigned(name: string) {
  const [keyFile, certFile] = [join(folder, `${name}.key`), join(folder, `${name}.pem`)];
  const made = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'];
  const named = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost'];
  execFileSync('openssl', [...made, ...named, '-keyout', keyFile, '-out', certFile], { stdio: 'ignore' });
  return { key: readFileSync(keyFile, 'utf8'), cert: readFileSync(certFile, 'utf8') };
}
const [identity, stranger] = [selfSigned('server'), selfSigned('stranger')];

interface Received {
  readonly from: string;
  readonly to: readonly string[];
  readonly mail: string;
  readonly isEncrypted: boolean;
}

const servers: SMTPServer[] = [];
const destinations: Destination[] = [];
afterEach(async () => {
  await Promise.all(destinations.splice(0).map((one) => one.abort()));
  await Promise.all(servers.splice(0).map((server) => new Promise<void>((done) => server.close(() => done()))));
});
afterAll(() => rmSync(folder, { recursive: true }));

async function serve(options: SMTPServerOptions = {}) {
  const received: Received[] = [];
  const server = new SMTPServer({
    ...identity,
    ...{ authOptional: true, logger: false, closeTimeout: 100 },
    onAuth({ username, password }, _session, done) {
      if (username === 'notices' && password === PASSWORD) done(null, { user: username });
      else done(Object.assign(new Error(`wrong: ${password}`), { responseCode: 535 }));
    },
    onData(stream, { envelope, secure }, done) {
      void text(stream).then((mail) => {
        const from = envelope.mailFrom === false ? '' : envelope.mailFrom.address;
        received.push({ from, to: envelope.rcptTo.map(({ address }) => address), mail, isEncrypted: secure });
        done(null, 'taken');
      });
    },
    ...options,
  });
  // Clients that are cut off are no fault of the server.
  server.on('error', () => undefined);
  servers.push(server);
  const port = await new Promise<number>((resolve) => {
    const listener = server.listen(0, '127.0.0.1', () => resolve((listener.address() as { port: number }).port));
  });
  return { port, received };
}

const rules = { allowCidrs: ['127.0.0.0/8', '::1/128'], denyCidrs: [], allowHttp: false };

function open(
  destination: object,
  {
    password,
    policy = {},
    trust = identity.cert,
    proxy,
  }: { password?: string; policy?: object; trust?: string; proxy?: URL } = {},
): Destination {
  const parsed = parseSubscription({
    ...{ customer: 'operators', eventTypes: ['notice'], match: { company: ['operators'] }, tls: { ca: trust } },
    destination: {
      ...{
        type: 'email',
        host: 'localhost',
        from: 'databridge@example.com',
        to: ['ops@example.com'],
        timeoutMs: 5_000,
      },
      ...destination,
    },
    ...(password !== undefined && { authentication: { type: 'basic', username: 'notices', password } }),
  });
  if (!parsed.ok) throw new Error(formatIssues(parsed.issues));
  const guard = new EgressGuard(new EgressPolicy({ ...rules, ...policy }));
  const egress = new Egress({ guard, budget: new ConnectionBudget(10), ...(proxy && { proxy }) });
  const opened = openDestination(
    mapSecrets(parsed.subscription, (secret) => new Secret(secret)),
    { egress, maxRetryAfterMs: 1_000, webhookOrigin: 'databridge.example' },
  );
  destinations.push(opened);
  return opened;
}

const outcomeOf = async (destination: Destination, more?: object) =>
  (await destination.send(message(more), 0))?.outcome;

test('a notice is a mail, encrypted, with a login, in the thread of its condition', async () => {
  const { port, received } = await serve();
  const destination = open({ port, to: ['ops@example.com', 'chief@example.com'] }, { password: PASSWORD });
  expect(await outcomeOf(destination)).toEqual({ kind: 'delivered', status: 250 });
  expect(await outcomeOf(destination, { state: 'resolved', text: 'Resolved for "acme".' })).toMatchObject({
    kind: 'delivered',
  });
  const [raised, resolved] = received;
  expect(raised).toMatchObject({ from: 'databridge@example.com', isEncrypted: true });
  expect(raised?.to).toEqual(['ops@example.com', 'chief@example.com']);
  expect(raised?.mail).toContain('\r\n\r\nDeliveries to "acme" are held since 11:00.');
  expect(raised?.mail).toContain('Auto-Submitted: auto-generated');
  // A text can't add a header of its own.
  expect(raised?.mail.split('\r\n\r\n')[0]).not.toMatch(/^Bcc:/m);
  expect(resolved?.mail).toContain("Subject: [resolved] Resolved for 'acme'.");
  const threads = received.map(({ mail }) => /^References: (\S+)/m.exec(mail)?.[1]);
  expect(threads[0]).toBeDefined();
  expect(threads[1]).toBe(threads[0]);
});

test('TLS from the first byte', async () => {
  const { port, received } = await serve({ secure: true });
  expect(await outcomeOf(open({ port, encryption: 'tls' }))).toMatchObject({ kind: 'delivered' });
  expect(received[0]?.isEncrypted).toBe(true);
});

test('without STARTTLS nothing is sent, and no password; a server that is not known gets nothing either', async () => {
  const { port, received } = await serve({ hideSTARTTLS: true, disabledCommands: ['STARTTLS'] });
  expect((await outcomeOf(open({ port }, { password: PASSWORD })))?.kind).toBe('retry');
  const other = await serve();
  const { kind, ...rest } =
    (await outcomeOf(open({ port: other.port }, { password: PASSWORD, trust: stranger.cert }))) ?? {};
  expect([kind, rest]).toEqual(['retry', expect.objectContaining({ failure: 'tls' })]);
  expect([...received, ...other.received]).toEqual([]);
});

test.each([
  [421, 'retry'],
  [452, 'retry'],
  [550, 'refused'],
])('a recipient that is answered with %d: %s', async (responseCode, kind) => {
  const { port } = await serve({
    onRcptTo: (_address, _session, done) => done(Object.assign(new Error('not now'), { responseCode })),
  });
  expect(await outcomeOf(open({ port }))).toMatchObject({ kind, status: responseCode });
});

test('a wrong password holds the customer, and is not in the reason', async () => {
  const { port } = await serve();
  const outcome = await outcomeOf(open({ port }, { password: 'wrong-password-1' }));
  expect(outcome).toMatchObject({ kind: 'deauthorized', status: 535 });
  expect(JSON.stringify(outcome)).not.toContain('wrong-password-1');
});

test('a server that hangs, or that nobody is at, is tried again', async () => {
  const { port } = await serve({ onData: () => undefined });
  expect((await outcomeOf(open({ port, timeoutMs: 500 })))?.kind).toBe('retry');
  const gone = await serve();
  await new Promise<void>((done) => servers.at(-1)?.close(() => done()));
  expect(await outcomeOf(open({ port: gone.port }))).toMatchObject({ kind: 'retry', failure: 'connect' });
});

test('a server whose reply has no end is cut off long before the time is up', async () => {
  const line = `220-${'x'.repeat(1_000)}\r\n`.repeat(64);
  const flood = createServer((socket) => {
    const pour = () => {
      while (socket.writable && socket.write(line));
    };
    socket.on('drain', pour).on('error', () => undefined);
    pour();
  }).listen(0, '127.0.0.1');
  await once(flood, 'listening');
  try {
    const { port } = flood.address() as AddressInfo;
    const outcome = await outcomeOf(open({ port, timeoutMs: 20_000 }));
    expect(outcome).toMatchObject({
      kind: 'retry',
      reason: expect.stringContaining('exceeds maximum allowed size'),
    });
  } finally {
    flood.close();
  }
});

test('the egress policy counts: private addresses, no encryption, and installations behind an HTTP proxy', async () => {
  const { port, received } = await serve();
  const blocked = [
    open({ port }, { policy: { allowCidrs: [] } }),
    open({ port, encryption: 'none' }),
    open({ port }, { proxy: new URL('http://127.0.0.1:1') }),
  ];
  for (const destination of blocked) expect(await outcomeOf(destination)).toMatchObject({ kind: 'blocked' });
  expect(received).toEqual([]);
  const plain = open({ port, encryption: 'none' }, { policy: { allowHttp: true } });
  expect(await outcomeOf(plain)).toMatchObject({ kind: 'delivered' });
  expect(received[0]?.isEncrypted).toBe(false);
});

test('what is cut off counts as no attempt, and what may not start is not sent', async () => {
  const reached = Promise.withResolvers<void>();
  const { port } = await serve({ onData: () => reached.resolve() });
  const destination = open({ port });
  expect(await destination.send(message(), 0, () => false)).toBeUndefined();
  const sent = destination.send(message(), 0);
  await reached.promise;
  await destination.abort();
  expect(await sent).toBeUndefined();
});
