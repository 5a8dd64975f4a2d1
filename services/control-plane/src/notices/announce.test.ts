import { type Announcement, announce, type Told } from './announce.ts';
import type { Condition } from './conditions.ts';

const MINUTE_MS = 60_000;

function condition(customer: string | undefined, more: Partial<Condition> = {}): Condition {
  return {
    ...{ kind: 'held', severity: 'warning', level: 1, sinceMs: 0, text: 'Held.' },
    ...(customer !== undefined && { customer }),
    ...more,
  };
}

/** Keeps between pulses what Kafka and the process would keep. */
function story() {
  const told = new Map<string, Told>();
  const firstSeen = new Map<string, number>();
  const pulse = (nowMs: number, ...conditions: Condition[]) => {
    const announcement = announce(conditions, told, firstSeen, nowMs);
    for (const [key, value] of announcement.told) {
      if (value) told.set(key, value);
      else told.delete(key);
    }
    return brief(announcement);
  };
  return { pulse, restart: () => firstSeen.clear() };
}

const brief = ({ notices }: Announcement) =>
  notices.map(({ company, kind, state, customerCount }) => `${company}: ${kind} ${state} (${customerCount})`);

test('a condition is announced once, to the customer and to operators, and its end as well', () => {
  const { pulse, restart } = story();
  expect(pulse(0, condition('acme'))).toEqual(['acme: held raised (1)', 'operators: held raised (1)']);
  expect(pulse(1, condition('acme'))).toEqual([]);
  restart();
  expect(pulse(2, condition('acme'))).toEqual([]);
  expect(pulse(3)).toEqual(['acme: held resolved (1)', 'operators: held resolved (1)']);
  expect(pulse(4)).toEqual([]);
});

test('a rising level is announced again; a falling one is not', () => {
  const { pulse } = story();
  pulse(0, condition('acme', { kind: 'budget', level: 0 }));
  expect(pulse(1, condition('acme', { kind: 'budget', level: 1 }))).toHaveLength(2);
  expect(pulse(2, condition('acme', { kind: 'budget', level: 0 }))).toEqual([]);
  expect(pulse(3, condition('acme', { kind: 'budget', level: 1 }))).toEqual([]);
});

test('dead letters that keep arriving are announced once an hour', () => {
  const { pulse } = story();
  const letters = (level: number) => condition('acme', { kind: 'dead-letters', level });
  expect(pulse(0, letters(1))).toHaveLength(2);
  expect(pulse(59 * MINUTE_MS, letters(50))).toEqual([]);
  expect(pulse(60 * MINUTE_MS, letters(51))).toHaveLength(2);
});

test('a handover to another worker is no news', () => {
  const { pulse } = story();
  const notRunning = condition('acme', { kind: 'not-running' });
  expect(pulse(0, notRunning)).toEqual([]);
  expect(pulse(30_000)).toEqual([]);
  expect(pulse(40_000, notRunning)).toEqual([]);
  expect(pulse(99_999, notRunning)).toEqual([]);
  expect(pulse(100_000, notRunning)).toHaveLength(2);
});

test('operators get one notice for many customers; each customer gets its own', () => {
  const { pulse } = story();
  const names = Array.from({ length: 150 }, (_, i) => `c-${i}`);
  const many = names.map((name) => condition(name));
  const first = pulse(0, ...many);
  expect(first).toHaveLength(151);
  expect(first.at(-1)).toBe('operators: held raised (150)');
  const { notices } = announce(many, new Map(), new Map(), 0);
  expect(notices.at(-1)?.customers).toHaveLength(100);
  expect(notices.at(-1)?.text).toMatch(/^150 customers at the same time, deliveries are held: .*, and 50 more\.$/);
});

test('what concerns no one customer goes to operators alone', () => {
  const { pulse } = story();
  expect(pulse(0, condition(undefined, { kind: 'quarantine' }))).toEqual(['operators: quarantine raised (0)']);
});

test('the start time of a condition is the one that was announced first', () => {
  const told = new Map<string, Told>([
    ['acme/held', { kind: 'held', customer: 'acme', sinceMs: 5, level: 1, toldAtMs: 6 }],
  ]);
  const { notices } = announce([], told, new Map(), 9);
  expect(notices[0]).toMatchObject({ state: 'resolved', sinceMs: 5, atMs: 9 });
});

test('an answered invitation is announced once, and not as resolved later', () => {
  const answered = { ...condition('acme', { kind: 'invitation' }), level: 5 };
  const first = announce([answered], new Map(), new Map(), 10);
  expect(first.notices.map(({ company, state }) => [company, state])).toEqual([
    ['acme', 'raised'],
    ['operators', 'raised'],
  ]);
  const told = new Map([...first.told].flatMap(([key, value]) => (value ? [[key, value] as const] : [])));
  expect(announce([answered], told, new Map(), 20).notices).toEqual([]);
  expect(announce([{ ...answered, level: 6 }], told, new Map(), 20).notices).toHaveLength(2);
  expect(announce([], told, new Map(), 30)).toEqual({ notices: [], told: new Map([['acme/invitation', undefined]]) });
});
