import { createLogger } from '@databridge/kernel/log';
import type { Caller } from '@databridge/kernel/secrets/tokens';
import type { IdempotencyRecord } from '@databridge/schemas/records/idempotency';
import { fastify } from 'fastify';
import { AnswerSeal } from '../idempotency/answer-seal.ts';
import type { KeptAnswers } from '../idempotency/kept-answers.ts';
import type { Commit, Written } from '../subscriptions/changes.ts';
import { MAX_KEPT_BYTES, MAX_KEYS, rememberAnswers } from './idempotency.ts';
import { answerWithProblems } from './problem.ts';

const log = createLogger('idempotency-test', 'silent');
const callers: Record<string, Caller> = {
  acme: { id: 'token:1', name: 'ci', role: 'customer', customer: 'acme' },
  acmes: { id: 'token:2', name: 'ci', role: 'customer', customer: 'acme' },
  globex: { id: 'token:3', name: 'ci', role: 'customer', customer: 'globex' },
};

/** What is written, as Kafka would keep it; and an API with one change, one operation, and one question. */
function setUp() {
  const records = new Map<string, IdempotencyRecord>();
  const used = new Map<string, { keys: number; bytes: number; nextFreeAtMs: number }>();
  const done: unknown[] = [];
  const state = { losesAnswers: false, hold: Promise.resolve() };
  const kept: KeptAnswers = {
    find: async (place) => records.get(place),
    keptBy: (tenant) => used.get(tenant) ?? { keys: 0, bytes: 0, nextFreeAtMs: Date.now() },
  };
  const write = (changes: readonly Written[]) => {
    for (const change of changes) {
      if (!('remembered' in change)) continue;
      const { place, record } = change.remembered;
      if (state.losesAnswers && record.answer !== undefined) throw new Error('the control plane is killed here');
      records.set(place, record);
    }
  };
  const writer = {
    change: <T>(_who: object, _customer: string | undefined, run: (commit: Commit) => Promise<T>) =>
      run(async (changes) => write(changes)),
  };
  const api = fastify();
  answerWithProblems(api, log);
  api.decorateRequest('caller', undefined);
  api.addHook('onRequest', async (request) => {
    request.caller = callers[String(request.headers['x-caller'] ?? 'acme')];
  });
  rememberAnswers(api, {
    ...{ kept, writer, log, seal: new AnswerSeal(new Map([['k', new Uint8Array(32).fill(7)]])) },
    answerByOperation: async (_request, reply, id) => {
      reply.code(202);
      return { id, state: 'running' };
    },
  });
  api.post('/change', { config: { access: 'act' } }, async (request) => {
    await state.hold;
    const { refuse, long } = request.body as { refuse?: boolean; long?: boolean };
    if (refuse) throw new Error('refused before anything is written');
    done.push(request.body);
    if (request.underKey) {
      write([{ remembered: request.underKey.remembered }]);
      request.underKey.isCarriedOut = true;
    }
    return { done: done.length, secret: 'hunter2', ...(long && { long: 'x'.repeat(20_000) }) };
  });
  api.post('/operation', { config: { access: 'act' } }, async (request) => {
    done.push('operation');
    const { underKey } = request;
    if (underKey) {
      const { place, record } = underKey.remembered;
      write([{ remembered: { place, record: { ...record, operation: 'op-1' } } }]);
      Object.assign(underKey, { isCarriedOut: true, operation: 'op-1' });
    }
    return { over: true };
  });
  api.post('/question', { config: { access: 'see' } }, async () => ({ answer: done.push('question') }));
  const ask = async (url: string, key: string, payload: object = {}, caller = 'acme') => {
    const headers = { 'idempotency-key': key, 'x-caller': caller };
    const { statusCode: status, headers: answered, body } = await api.inject({ method: 'POST', url, headers, payload });
    return { status, isReplayed: answered['idempotency-replayed'] === 'true', body: JSON.parse(body), answered };
  };
  return { ask, done, records, used, state };
}

test('the same request is carried out once, and answered as the first time', async () => {
  const { ask, done, records } = setUp();
  const first = await ask('/change', 'k', { a: 1 });
  const second = await ask('/change', 'k', { a: 1 });
  expect([first.status, first.isReplayed, second.status, second.isReplayed]).toEqual([200, false, 200, true]);
  expect(second.body).toEqual(first.body);
  expect(done).toHaveLength(1);
  expect(await ask('/change', 'k', { a: 2 })).toMatchObject({ status: 422, body: { detail: /another body/ } });
  // Sealed, and the key itself is not in it.
  expect(JSON.stringify([...records])).not.toMatch(/hunter2|"k"/);
});

test('a key belongs to its token and its path', async () => {
  const { ask, done } = setUp();
  for (const caller of ['acme', 'acmes', 'globex']) {
    expect(await ask('/change', 'k', {}, caller)).toMatchObject({ status: 200, isReplayed: false });
  }
  expect(await ask('/operation', 'k')).toMatchObject({ isReplayed: false });
  expect(done).toHaveLength(4);
});

test('what was refused before anything was written may be repeated; a question needs no key', async () => {
  const { ask, done, records } = setUp();
  expect((await ask('/change', 'k', { refuse: true })).status).toBe(500);
  expect((await ask('/change', 'k', {})).status).toBe(200);
  await ask('/question', 'q');
  expect((await ask('/question', 'q')).isReplayed).toBe(false);
  expect(done).toHaveLength(3);
  expect(records.size).toBe(1);
});

test('a request whose answer was lost is not carried out again, and says so', async () => {
  const { ask, done, state } = setUp();
  state.losesAnswers = true;
  // The caller of the first one gets its answer: the change is made.
  expect((await ask('/change', 'k')).status).toBe(200);
  expect(await ask('/change', 'k')).toMatchObject({ status: 409, body: { detail: /was carried out at .*not kept/ } });
  expect((await ask('/operation', 'k')).status).toBe(200);
  expect(await ask('/operation', 'k')).toMatchObject({ status: 202, isReplayed: true, body: { id: 'op-1' } });
  expect(done).toHaveLength(2);
});

test('an answer that is too long is not kept', async () => {
  const { ask, records, done } = setUp();
  await ask('/change', 'k', { long: true });
  expect([...records.values()][0]?.answer).toBeUndefined();
  expect((await ask('/change', 'k', { long: true })).status).toBe(409);
  expect(done).toHaveLength(1);
});

test('while the first request runs, a second one with its key is asked to wait', async () => {
  const { ask, state } = setUp();
  const { promise, resolve } = Promise.withResolvers<void>();
  state.hold = promise;
  const first = ask('/change', 'k');
  await new Promise((next) => setImmediate(next));
  expect(await ask('/change', 'k')).toMatchObject({ status: 409, body: { detail: /still running/ } });
  resolve();
  expect((await first).status).toBe(200);
  expect((await ask('/change', 'k')).isReplayed).toBe(true);
});

test.each([
  ['keys', { keys: MAX_KEYS, bytes: 0 }],
  ['bytes', { keys: 1, bytes: MAX_KEPT_BYTES }],
])('a tenant that used up its %s of a day is refused, and others are not', async (_what, usage) => {
  const { ask, used, done } = setUp();
  used.set('customer:acme', { ...usage, nextFreeAtMs: Date.now() + 60_000 });
  const refused = await ask('/change', 'k');
  expect(refused).toMatchObject({ status: 429, body: { code: 'DB_RATE_LIMITED', detail: /within 24 hours/ } });
  expect(Number(refused.answered['retry-after'])).toBeGreaterThan(0);
  expect((await ask('/change', 'k', {}, 'acmes')).status).toBe(429);
  expect((await ask('/change', 'k', {}, 'globex')).status).toBe(200);
  expect(done).toHaveLength(1);
});

test('an answer opens at its own place and under its own key alone', async () => {
  const seal = new AnswerSeal(new Map([['k', new Uint8Array(32).fill(7)]]));
  const sealed = await seal.seal('hunter2', 'mine');
  expect(await seal.open(sealed, 'mine')).toBe('hunter2');
  expect(await seal.open(sealed, 'theirs')).toBeUndefined();
  expect(await new AnswerSeal(new Map([['k', new Uint8Array(32)]])).open(sealed, 'mine')).toBeUndefined();
});
