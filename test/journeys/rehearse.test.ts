/** A rehearsal finds what receivers get wrong: each planted bug, and none in a receiver that is right. */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Tokens } from '@databridge/kernel/secrets/tokens';
import { Webhook } from 'standardwebhooks';
import { type ControlPlane, startControlPlane } from '../harness/services/control-plane.ts';
import { Stage } from '../harness/stage.ts';
import { freshName } from '../harness/topics.ts';

let stage: Stage;
let plane: ControlPlane;
const servers: Server[] = [];
const secret = `whsec_${randomBytes(32).toString('base64')}`;
const webhook = new Webhook(secret);

beforeAll(async () => {
  stage = await Stage.start();
  plane = await startControlPlane([Tokens.generate('ann', 'operator')], { DATABRIDGE_KEYS: stage.keys });
});
afterAll(async () => {
  for (const server of servers) server.close();
  await plane?.service.stop();
});

interface Request {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

/** @returns the status to answer */
type Receive = (request: Request) => number;

/** As docs/receive.md asks: verifies the bytes as they came, by the reference library, and drops what it has handled. */
const verified = ({ headers, body }: Request): boolean => {
  try {
    webhook.verify(body.toString('utf8'), headers);
    return true;
  } catch {
    return false;
  }
};
const right: Receive = (request) => (verified(request) ? 204 : 401);

async function serve(make: () => Receive): Promise<string> {
  const receive = make();
  const server = createServer(async (request: IncomingMessage, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const headers = Object.fromEntries(Object.entries(request.headers).map(([name, value]) => [name, String(value)]));
    response.writeHead(receive({ headers, body: Buffer.concat(chunks) })).end();
  });
  servers.push(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** @returns the cases by verdict */
async function rehearsed(make: () => Receive, more: Record<string, unknown> = {}) {
  const customer = freshName('rehearsing');
  await stage.subscribe(customer, await serve(make), { signing: { secrets: [secret] }, ratePerSecond: 20, ...more });
  const { status, body } = await plane.call('POST', `/subscriptions/${customer}/rehearsals`);
  expect([status, body.detail]).toEqual([200, undefined]);
  const findings = body.findings as { case: string; verdict: string; text: string }[];
  const of = (verdict: string) => findings.filter((one) => one.verdict === verdict).map((one) => one.case);
  return { failed: of('failed'), passed: of('passed'), skipped: of('skipped'), findings };
}

test('a receiver that is right passes every case', async () => {
  const { failed, passed, skipped, findings } = await rehearsed(() => right);
  expect({ failed, skipped, findings: findings.filter(({ verdict }) => verdict !== 'passed') }).toEqual({
    ...{ failed: [], skipped: [], findings: [] },
  });
  expect(passed).toHaveLength(13);
});

const parsed = ({ body }: Request) => JSON.parse(body.toString('utf8')) as Record<string, unknown>;
const SECTIONS = ['summary', 'clientwords', 'intent', 'dissatisfaction', 'callback'];

const PLANTED: readonly [bug: string, found: readonly string[], make: () => Receive][] = [
  ['verifies nothing', ['stale signature', 'forged signature', 'missing signature'], () => () => 200],
  [
    'does not look at the time',
    ['stale signature'],
    () => (request) => {
      const age = Number(request.headers['webhook-timestamp']) < Date.now() / 1_000 - 60;
      return age || verified(request) ? 200 : 401;
    },
  ],
  [
    'lets requests without a signature through',
    ['missing signature'],
    () => (request) => (request.headers['webhook-signature'] === undefined ? 200 : right(request)),
  ],
  [
    'answers 409 to an event that it knows',
    ['duplicate'],
    () => {
      const known = new Set<string>();
      return (request) => {
        const id = request.headers['webhook-id'] ?? '';
        if (known.has(id)) return 409;
        if (verified(request)) known.add(id);
        return right(request);
      };
    },
  ],
  [
    'wants events in the order of time',
    ['late event'],
    () => {
      let last = 0;
      return (request) => {
        const at = Number(request.headers['webhook-timestamp']);
        if (!verified(request)) return 401;
        if (at < last) return 400;
        last = at;
        return 200;
      };
    },
  ],
  [
    'looks at the first signature alone',
    ['signatures during a rotation'],
    () =>
      ({ headers, body }) =>
        right({
          body,
          headers: { ...headers, 'webhook-signature': (headers['webhook-signature'] ?? '').split(' ')[0] ?? '' },
        }),
  ],
  [
    'verifies JSON that it writes anew',
    ['exact bytes'],
    () => (request) => right({ ...request, body: Buffer.from(JSON.stringify(parsed(request))) }),
  ],
  [
    'stores texts as ASCII',
    ['unusual text'],
    () => (request) =>
      verified(request) && /[^\x20-\x7e\s]/.test(request.body.toString('utf8')) ? 500 : right(request),
  ],
  [
    'needs every section',
    ['absent sections'],
    () => (request) =>
      verified(request) && SECTIONS.some((name) => !(name in parsed(request))) ? 500 : right(request),
  ],
  [
    'refuses fields that it does not know',
    ['unknown field'],
    () => (request) =>
      verified(request) &&
      Object.keys(parsed(request)).some((name) => ![...SECTIONS, 'schema_version', 'statusCode'].includes(name))
        ? 422
        : right(request),
  ],
  [
    'takes 100 kB at most',
    ['largest event'],
    () => (request) => (request.body.length > 102_400 ? 413 : right(request)),
  ],
  [
    'takes five events a second',
    ['burst'],
    () => {
      const accepted: number[] = [];
      return (request) => {
        if (!verified(request)) return 401;
        accepted.push(Date.now());
        return accepted.filter((at) => at > Date.now() - 1_000).length > 5 ? 429 : 200;
      };
    },
  ],
  [
    'refuses a forged signature with 500',
    ['stale signature', 'forged signature', 'missing signature'],
    () => (request) => (verified(request) ? 200 : 500),
  ],
];

/** Side by side, since most of a rehearsal is waiting. */
const rehearsals = new Map<string, ReturnType<typeof rehearsed>>();
beforeAll(() => {
  for (const [bug, , make] of PLANTED) {
    const rehearsal = rehearsed(make);
    // The test of it tells what went wrong.
    rehearsal.catch(() => undefined);
    rehearsals.set(bug, rehearsal);
  }
});

test.each(PLANTED)('finds a receiver that %s', async (bug, found) => {
  const { failed, findings } = (await rehearsals.get(bug)) ?? {};
  expect({ failed, findings }).toEqual({ failed: found, findings });
});

test('without signing, the cases of signatures are left out and it says why; an endpoint that takes nothing ends it', async () => {
  const unsigned = await rehearsed(() => () => 200, { signing: undefined });
  expect(unsigned.failed).toEqual([]);
  expect(unsigned.skipped).toHaveLength(6);
  expect(unsigned.findings.find((one) => one.verdict === 'skipped')?.text).toContain('has no `signing`');
  const down = await rehearsed(() => () => 503);
  expect(down.failed).toEqual(['event']);
  expect(down.skipped).toHaveLength(12);
});
