import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { parse } from 'yaml';
import { runProgram } from '../../program.ts';

const ANSWERS: Readonly<Record<string, unknown>> = {
  '/v1/status': { items: [] },
  '/v1/workers': { items: [], unattended: [] },
  '/v1/subscriptions': { items: [{ customer: 'acme' }, { customer: 'globex' }] },
  '/v1/subscriptions/acme': { customer: 'acme', state: 'active', enableEpoch: 3, destination: { type: 'http' } },
  '/v1/subscriptions/globex': { customer: 'globex', state: 'paused', enableEpoch: 1, destination: { type: 'http' } },
  '/v1/audit': {
    items: [
      {
        ...{ id: '1', at: 0, who: { name: 'ann', role: 'operator' }, what: 'replace', customer: 'acme' },
        ...{ before: { ratePerSecond: 1, state: 'active' }, after: { ratePerSecond: 2, state: 'active' } },
        secrets: ['authentication.key'],
      },
      {
        id: '2',
        at: 0,
        who: { name: 'bob', role: 'operator' },
        what: 'rewind',
        customer: 'acme',
        detail: { to: 'earliest' },
      },
    ],
  },
};

const asked: string[] = [];
let onAsked: (count: number) => void = () => undefined;
const server = createServer(({ url = '' }, response) => {
  asked.push(url);
  const answer = ANSWERS[url.split('?')[0] ?? ''];
  response.writeHead(answer === undefined ? 404 : 200, { 'content-type': 'application/json' });
  response.end(JSON.stringify(answer ?? {}));
  onAsked(asked.filter((one) => one.startsWith('/v1/status')).length);
});
beforeAll(async () => void (await once(server.listen(0, '127.0.0.1'), 'listening')));
afterAll(() => void server.close());
beforeEach(() => asked.splice(0));

async function run(...args: string[]): Promise<{ code: number; out: string }> {
  const written: string[] = [];
  const spy = jest.spyOn(process.stdout, 'write').mockImplementation((text) => written.push(String(text)) > 0);
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  try {
    const code = await runProgram(args, { DATABRIDGE_URL: url, DATABRIDGE_TOKEN: 'token' });
    return { code, out: written.join('') };
  } finally {
    spy.mockRestore();
  }
}

test('status --watch shows it again and again, until Ctrl-C', async () => {
  onAsked = (count) => {
    if (count === 3) process.emit('SIGINT');
  };
  const { code, out } = await run('status', '--watch', '--interval', '200ms');
  onAsked = () => undefined;
  expect(code).toBe(0);
  expect(out.match(/There are no customers/g)).toHaveLength(3);
  expect(out).toContain('every 0.2 s. Ctrl-C ends it.');
});

test('export prints what apply takes: every customer as a file has it', async () => {
  const acme = { customer: 'acme', state: 'active', destination: { type: 'http' } };
  const globex = { customer: 'globex', state: 'paused', destination: { type: 'http' } };
  expect(parse((await run('subscriptions', 'export')).out)).toEqual({ subscriptions: [acme, globex] });
  expect(parse((await run('subscriptions', 'export', 'globex')).out)).toEqual({ subscriptions: [globex] });
});

test('audit names who did what, which fields and secrets changed, and what was asked for', async () => {
  const { code, out } = await run('audit', '--customer', 'acme', '--limit', '2');
  expect(code).toBe(0);
  expect(asked).toEqual(['/v1/audit?customer=acme&limit=2']);
  expect(out).toMatch(/ann +operator +replace +acme +fields ratePerSecond; secrets authentication\.key\n/);
  expect(out).toMatch(/bob +operator +rewind +acme +\{"to":"earliest"\}\n/);
});
