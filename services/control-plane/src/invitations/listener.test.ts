import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { createLogger } from '@databridge/kernel/log';
import { generateKeySet, parseKeySet } from '@databridge/kernel/secrets/key-set';
import { SealingDesk } from '@databridge/kernel/secrets/sealing-desk';
import { makeInvitationCode } from '@databridge/schemas/records/invitation-code';
import { createListener } from './listener.ts';
import { Tickets } from './tickets.ts';

const directory = mkdtempSync(join(tmpdir(), 'page-'));
for (const name of ['page.html', 'page.css', 'page.js', 'setup-aB-1_x.js'])
  writeFileSync(join(directory, name), `<${name}>`);
const files = pathToFileURL(`${directory}/`);
const desk = new SealingDesk(parseKeySet(generateKeySet('k1').controlPlane));
const log = createLogger('test', 'silent');
const CODE = makeInvitationCode(new Uint8Array(8));
const asked: [string, unknown][] = [];
let status = 200;
const listener = createListener({
  ...{ desk, files, log },
  ask: async (route, body) => {
    asked.push([route, body]);
    return {
      status,
      body: status < 400 ? { receipt: 'r' } : { detail: 'why', code: 'DB_X', operatorDetail: 'inside' },
    };
  },
});
const json = { 'content-type': 'application/json' };
const post = (url: string, payload: object, headers: Record<string, string> = {}) =>
  listener.inject({ method: 'POST', url, headers: { ...json, ...headers }, payload: JSON.stringify(payload) });

beforeEach(() => {
  asked.length = 0;
  status = 200;
});
afterAll(() => listener.close());

test('every link gets the same bytes, and looking asks nothing', async () => {
  for (const id of ['AAAAAAAAAAAAAAAAAAAAAA', 'x', '%00', 'a'.repeat(90)]) {
    const answer = await listener.inject({ method: 'GET', url: `/s/${id}?utm=1` });
    expect([answer.statusCode, answer.body]).toEqual([200, '<page.html>']);
  }
  for (const file of ['page.js', 'setup-aB-1_x.js']) {
    const answer = await listener.inject({ method: 'GET', url: `/${file}` });
    expect([answer.headers['content-type'], answer.body]).toEqual([
      expect.stringMatching(/^text\/javascript/),
      `<${file}>`,
    ]);
  }
  expect((await listener.inject({ method: 'GET', url: '/v1/subscriptions' })).statusCode).toBe(404);
  expect(asked).toEqual([]);
});

test('every answer forbids storing, framing, referring and foreign scripts', async () => {
  for (const url of ['/s/x', '/page.js', '/setup-aB-1_x.js', '/nothing']) {
    expect((await listener.inject({ method: 'GET', url })).headers).toMatchObject({
      'cache-control': 'no-store',
      'content-security-policy': expect.stringMatching(
        /^default-src 'none'; script-src 'self';.*trusted-types 'none'$/,
      ),
      'referrer-policy': 'no-referrer',
      'x-frame-options': 'DENY',
    });
  }
});

test('what forms, other sites and mistyped codes post asks nothing', async () => {
  const form = { method: 'POST' as const, url: '/s/x/open', payload: `code=${CODE}` };
  const typed = { ...form, headers: { 'content-type': 'application/x-www-form-urlencoded' } };
  expect((await listener.inject(typed)).statusCode).toBe(404);
  expect((await post('/s/x/open', { code: CODE }, { 'sec-fetch-site': 'cross-site' })).statusCode).toBe(404);
  const mistyped = ['AAAA-AAAB', '', 7, null].map((code) => post('/s/x/open', { code }));
  expect((await Promise.all(mistyped)).map(({ statusCode }) => statusCode)).toEqual([404, 404, 404, 404]);
  expect((await post('/s/x/answer', { secrets: {} })).statusCode).toBe(401);
  expect((await post('/s/x/test', {}, { authorization: 'Bearer forged' })).statusCode).toBe(401);
  expect(asked).toEqual([]);
}, 20_000);

test('a code and a ticket are passed on; of a refusal, only the message is returned', async () => {
  expect((await post('/s/link/open', { code: CODE.toLowerCase() })).statusCode).toBe(200);
  expect(asked).toEqual([['opens', { linkId: 'link', code: CODE.replace('-', '') }]]);
  const { ticket } = await new Tickets(desk).issue('invitation', '[]', Date.now());
  const authorization = `Bearer ${ticket}`;
  expect((await post('/s/link/answer', { secrets: {}, ticket: 'other' }, { authorization })).json()).toEqual({
    receipt: 'r',
  });
  expect(asked[1]).toEqual(['answers', { secrets: {}, ticket }]);
  status = 422;
  expect((await post('/s/link/answer', { secrets: {} }, { authorization })).json()).toEqual({ detail: 'why' });
  status = 503;
  expect((await post('/s/link/answer', { secrets: {} }, { authorization })).json().detail).toMatch(/same receipt/);
});

test('who guesses too often is refused, without asking', async () => {
  status = 404;
  const one = { method: 'POST' as const, url: '/s/link/open', headers: json, payload: JSON.stringify({ code: CODE }) };
  await Promise.all(Array.from({ length: 20 }, () => listener.inject({ ...one, remoteAddress: '192.0.2.9' })));
  expect(asked).toHaveLength(20);
  expect((await listener.inject({ ...one, remoteAddress: '192.0.2.9' })).statusCode).toBe(429);
  expect(asked).toHaveLength(20);
  expect((await listener.inject({ ...one, remoteAddress: '192.0.2.8' })).statusCode).toBe(404);
}, 20_000);

test('without the built page, it says how to build it', () => {
  const missing = pathToFileURL(`${directory}/missing/`);
  expect(() => createListener({ desk, log, files: missing, ask: async () => ({ status: 200, body: {} }) })).toThrow(
    /npm run build/,
  );
});
