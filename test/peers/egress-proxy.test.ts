/** tinyproxy of Debian as the one way out: all that leaves a worker passes it, and what may not be sent to stays so. */
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:https';
import { join } from 'node:path';
import { EgressGuard } from '@databridge/delivery/egress/egress-guard';
import { EgressPolicy } from '@databridge/kernel/egress/egress-policy';
import { freePorts } from '@databridge/local-platform/free-port';
import { message, openFor } from '../harness/destinations.ts';
import { type Certificates, makeCertificates } from '../harness/peers/certificates.ts';
import { debian } from '../harness/peers/debian.ts';
import { startPeer } from '../harness/peers/peer-process.ts';
import { FETCH_TIMEOUT_MS } from '../harness/peers/peers-cache.ts';
import { CLIENT, startTokenServer } from '../harness/servers/token-server.ts';
import { Front } from '../harness/services/front.ts';

/** What the proxy sends from: who comes from elsewhere went past it. */
const PROXY_ADDRESS = '127.0.0.7';

let proxy: URL;
let port = 0;
let certificates: Certificates;

beforeAll(async () => {
  const [tinyproxy, made, [free = 0]] = await Promise.all([
    debian('tinyproxy', ['tinyproxy-bin'], 'bin'),
    makeCertificates(),
    freePorts(1),
  ]);
  [certificates, port] = [made, free];
  const file = join(certificates.dir, 'tinyproxy.conf');
  const forbidden = join(certificates.dir, 'forbidden');
  await writeFile(forbidden, '^forbidden\\.example$\n');
  await writeFile(
    file,
    [
      ...['Listen 127.0.0.1', `Port ${port}`, `Bind ${PROXY_ADDRESS}`, 'Timeout 20', 'MaxClients 100'],
      ...['BasicAuth worker way-0ut', `Filter "${forbidden}"`, 'FilterExtended On', 'LogLevel Critical', ''],
    ].join('\n'),
  );
  await startPeer({ program: tinyproxy.program, args: ['-d', '-c', file], env: tinyproxy.env, port });
  proxy = new URL(`http://worker:way-0ut@127.0.0.1:${port}`);
}, FETCH_TIMEOUT_MS);

const servers: Server[] = [];
afterAll(() => {
  for (const server of servers) {
    server.close();
    server.closeAllConnections();
  }
});

/** An endpoint by TLS. @returns its URL, and where its requests came from */
async function secureEndpoint(): Promise<{ url: string; came: (string | undefined)[] }> {
  const read = (name: string) => readFile(join(certificates.dir, name));
  const came: (string | undefined)[] = [];
  const server = createServer(
    { cert: await read('server.crt'), key: await read('server.key') },
    (request, response) => {
      came.push(request.socket.remoteAddress);
      request.resume().once('end', () => response.end());
    },
  );
  servers.push(server);
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return { url: `https://127.0.0.1:${(server.address() as { port: number }).port}/events`, came };
}

test.each(['plain http', 'https'])('deliveries over %s and token requests leave through it', async (scheme) => {
  const tokens = await startTokenServer();
  const front = await Front.start();
  const secure = await secureEndpoint();
  const isPlain = scheme === 'plain http';
  const opened = openFor(
    {
      destination: { type: 'http', url: isPlain ? front.origin : secure.url },
      authentication: { type: 'oauth', tokenUrl: tokens.url, clientId: CLIENT.id, clientSecret: CLIENT.secret },
      maxInFlight: 8,
      ...(!isPlain && { tls: { ca: certificates.ca } }),
    },
    { proxy },
  );
  const sent = await Promise.all(Array.from({ length: 50 }, () => opened.send(message(), Date.now())));
  expect(sent.map((one) => one?.outcome.kind)).toEqual(Array(50).fill('delivered'));
  const came = isPlain ? front.passed.map(({ from }) => from) : secure.came;
  expect(came).toHaveLength(50);
  expect(new Set(came)).toEqual(new Set([PROXY_ADDRESS]));
  expect(tokens.front.passed.map(({ from }) => from)).toEqual([PROXY_ADDRESS]);
  // The proxy is told nothing of ours, and tells nobody of itself.
  expect(
    front.passed.flatMap(({ headers }) => Object.keys(headers)).filter((name) => /proxy|^via$/i.test(name)),
  ).toEqual([]);
});

test('SNS and SQS leave through it too', async () => {
  const keys = { accessKeyId: 'AKIAIOSFODNN7EXAMPLE', secretAccessKey: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY' };
  const front = await Front.start();
  front.manner = { status: 503 };
  for (const destination of [
    { type: 'sns', topicArn: 'arn:aws:sns:eu-west-1:123456789012:t', endpoint: front.origin },
    { type: 'sqs', queueUrl: `${front.origin}/123456789012/q`, region: 'eu-west-1' },
  ]) {
    await openFor({ destination, authentication: { type: 'aws', ...keys } }, { proxy }).send(message(), Date.now());
  }
  expect(front.passed.map(({ from }) => from)).toEqual([PROXY_ADDRESS, PROXY_ADDRESS]);
});

test('what may not be sent to is not sent to, though the proxy would', async () => {
  const front = await Front.start(undefined, '127.0.0.2');
  const open = await openFor({ destination: { type: 'http', url: front.origin } }, { proxy }).send(
    message(),
    Date.now(),
  );
  expect(open?.outcome.kind).toBe('delivered');

  const guard = new EgressGuard(new EgressPolicy({ allowCidrs: ['127.0.0.1/32'], denyCidrs: [], allowHttp: true }));
  for (const url of [front.origin, 'https://169.254.169.254', 'https://10.0.0.1']) {
    const token = { type: 'oauth', tokenUrl: `${url}/token`, clientId: 'c', clientSecret: 's' };
    const harmless = await Front.start();
    for (const parts of [
      { destination: { type: 'http', url } },
      { destination: { type: 'http', url: harmless.origin }, authentication: token },
    ]) {
      const sent = await openFor(parts, { proxy, guard }).send(message(), Date.now());
      expect(sent?.outcome).toMatchObject({ kind: 'blocked', reason: expect.not.stringContaining('proxy') });
    }
    expect(harmless.passed).toEqual([]);
  }
  expect(front.passed).toHaveLength(1);
});

test('a proxy that refuses us or is unreachable costs no attempt; a destination that it does not find does', async () => {
  const front = await Front.start();
  const outcomeBy = async (url: string, by: URL) =>
    (await openFor({ destination: { type: 'http', url } }, { proxy: by }).send(message(), Date.now()))?.outcome;
  const stranger = new URL(`http://worker:wrong@127.0.0.1:${port}`);
  expect(await outcomeBy(front.origin, stranger)).toEqual({
    kind: 'blocked',
    operatorDetail: expect.stringContaining('401'),
    reason: 'our egress proxy refuses (status 401)',
  });
  const [nobodys = 0] = await freePorts(1);
  expect(await outcomeBy(front.origin, new URL(`http://127.0.0.1:${nobodys}`))).toEqual({
    kind: 'blocked',
    operatorDetail: expect.any(String),
    reason: "our egress proxy can't be reached (ECONNREFUSED)",
  });
  expect(await outcomeBy('https://forbidden.example/', proxy)).toEqual({
    kind: 'blocked',
    operatorDetail: expect.stringContaining('403'),
    reason: 'our egress proxy refuses (status 403)',
  });
  const { origin } = front;
  await front.stop();
  expect(await outcomeBy(origin, proxy)).toMatchObject({ kind: 'retry', reason: expect.stringContaining('500') });
});
