import type { ApiClient } from './api/api-client.ts';
import { fullId, fullIds, type Ids, shortIds } from './short-ids.ts';

test.each<[string, string[], string[]]>([
  ['a UUID', ['3f2a9c1e-0b4d-4c1e-9d7a-000000000001'], ['3f2a9c1e']],
  ['an event id of fan-out’s', ['evt_AbCdEfGhIjKlMnOpQrStUvWxYz'], ['evt_AbCdEfGh']],
  ['short ids', ['evt_1', 'order-12', 'order-123456'], ['evt_1', 'order-12', 'order-123456']],
  ['alike ones', ['order-2026-000001', 'order-2026-000002-b'], ['order-2026-000001', 'order-2026-000002-b']],
  ['alike ones that go on', ['aaaaaaaaaaaaaaaaaaaa', 'aaaaaaaaaabbbbbbbbbb'], ['aaaaaaaaaaa', 'aaaaaaaaaab']],
  ['one that another begins with', ['evt_1', 'evt_1@root-cause.events/0/7'], ['evt_1', 'evt_1@root-c']],
  ['none', [], []],
])('%s', (_what, ids, short) => {
  expect([...shortIds(ids).values()]).toEqual(short);
});

test('each short id is the beginning of one of them alone', () => {
  const ids = Array.from({ length: 500 }, (_, n) => `evt_${(n * 7_919).toString(36).padStart(20, '0')}`);
  for (const [id, short] of shortIds(ids)) expect(ids.filter((one) => one.startsWith(short))).toEqual([id]);
});

describe('what is typed', () => {
  const letters = ['evt_1', 'evt_12', 'evt_2', 'evt_2@root-cause.events/0/7', 'abc'].map((id) => ({ id }));
  const asked: unknown[] = [];
  const list = async (path: string, query: { idPrefix: string }) => {
    asked.push([path, query]);
    return letters.filter(({ id }) => id.startsWith(query.idPrefix));
  };
  const api = { list } as unknown as ApiClient;
  const ids: Ids = { path: '/letters', prefix: 'idPrefix', what: 'letters', idOf: ({ id }: { id: string }) => id };

  test.each([
    ['evt_1', 'evt_1'],
    ['evt_12', 'evt_12'],
    ['evt_2@', 'evt_2@root-cause.events/0/7'],
    ['a', 'abc'],
    ['nobody', 'nobody'],
  ])('%s means %s', async (given, id) => {
    expect(await fullId(api, ids, given)).toBe(id);
    expect(asked.at(-1)).toEqual(['/letters', { idPrefix: given }]);
  });

  test('several at once', async () => {
    expect(await fullIds(api, ids, ['ab', 'evt_12'])).toEqual(['abc', 'evt_12']);
  });

  test('what several begin with is refused, with their beginnings', async () => {
    await expect(fullId(api, ids, 'evt_')).rejects.toThrow(
      'Several letters begin with "evt_": evt_1, evt_12, evt_2, evt_2@root-c. Write more of it',
    );
  });
});
