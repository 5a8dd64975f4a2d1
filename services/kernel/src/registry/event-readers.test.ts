import { loadEventTypes } from '@databridge/schemas/event/event-types';
import { DatabridgeError } from '../errors.ts';
import { createLogger } from '../log.ts';
import { ManualClock } from '../time/manual-clock.ts';
import { EventReaders, type ReaderLookup } from './event-readers.ts';
import type { WriterSchema } from './schema-registry.ts';

const [rootCause] = loadEventTypes('root-cause=root-cause.events');
if (!rootCause) throw new Error('no event type');

const UNREACHABLE: WriterSchema = {
  kind: 'unreachable',
  error: new DatabridgeError('DB_REGISTRY_UNAVAILABLE', 'down'),
};
const UNKNOWN: WriterSchema = { kind: 'unknown-id' };
const KNOWN: WriterSchema = { kind: 'schema', schema: rootCause.schemaJson };

function setUp(answer: WriterSchema) {
  const clock = new ManualClock();
  const registry = {
    answer,
    asked: 0,
    async writerSchema() {
      registry.asked++;
      return registry.answer;
    },
  };
  const readers = new EventReaders({ registry, clock, log: createLogger('test', 'silent'), unknownIdWaitMs: 10_000 });
  const settled: ReaderLookup[] = [];
  const load = () => {
    const lookup = readers.load(rootCause as NonNullable<typeof rootCause>, 1);
    lookup.then((result) => settled.push(result)).catch(() => undefined);
    return lookup;
  };
  /** Timers are armed between turns of the event loop: each has to come before the clock moves on. */
  const advance = async (byMs: number) => {
    for (let doneMs = 0; doneMs < byMs; doneMs += 100) {
      clock.advance(100);
      await new Promise(setImmediate);
    }
  };
  return { clock, registry, readers, settled, load, advance };
}

test('a known schema gives a reader, once', async () => {
  const { readers, registry, load } = setUp(KNOWN);
  expect(readers.peek(rootCause, 1)).toBeUndefined();
  const [first, second] = await Promise.all([load(), load()]);
  expect(first).toEqual({ kind: 'reader', reader: expect.anything() });
  expect(second).toBe(first);
  expect(readers.peek(rootCause, 1)).toBe(first);
  expect(registry.asked).toBe(1);
});

test('an unreachable registry is waited for, however long, and speaks against no record', async () => {
  const { readers, registry, settled, load, advance } = setUp(UNREACHABLE);
  const lookup = load();
  await advance(100_000);
  expect(settled).toEqual([]);
  expect(readers.waitingForRegistry).toBe(1);
  registry.answer = KNOWN;
  await advance(5_000);
  expect((await lookup).kind).toBe('reader');
  expect(readers.waitingForRegistry).toBe(0);
});

test('an unknown id is waited for; what turns up in time is read', async () => {
  const { registry, settled, load, advance } = setUp(UNKNOWN);
  const lookup = load();
  await advance(9_000);
  expect(settled).toEqual([]);
  registry.answer = KNOWN;
  await advance(1_000);
  expect((await lookup).kind).toBe('reader');
});

test('a schema that is no Avro is incompatible, at once', async () => {
  const { load } = setUp({ kind: 'unusable', detail: 'schema 1 is not Avro' });
  expect(await load()).toEqual({
    kind: 'unreadable',
    reason: 'incompatible-schema',
    detail: 'schema 1 is not Avro',
  });
});

test('an id that stays unknown is unreadable, for a minute', async () => {
  const { readers, registry, load, advance } = setUp(UNKNOWN);
  const lookup = load();
  await advance(12_000);
  expect(await lookup).toMatchObject({ kind: 'unreadable', reason: 'unknown-schema' });
  expect(readers.peek(rootCause, 1)).toMatchObject({ kind: 'unreadable' });
  registry.answer = KNOWN;
  await advance(60_000);
  expect(readers.peek(rootCause, 1)).toBeUndefined();
  expect((await load()).kind).toBe('reader');
});

test('time in which the registry was unreachable does not count against an id', async () => {
  const { registry, settled, load, advance } = setUp(UNKNOWN);
  void load();
  await advance(8_000);
  registry.answer = UNREACHABLE;
  await advance(20_000);
  registry.answer = UNKNOWN;
  await advance(8_000);
  expect(settled).toEqual([]);
  await advance(10_000);
  expect(settled).toMatchObject([{ kind: 'unreadable' }]);
});

test('a schema that does not resolve is unreadable at once', async () => {
  const { load } = setUp({ kind: 'schema', schema: '"string"' });
  expect(await load()).toMatchObject({ kind: 'unreadable', reason: 'incompatible-schema' });
});

test('stopping ends the waiting', async () => {
  const { readers, load, advance } = setUp(UNREACHABLE);
  const lookup = load();
  await advance(1_000);
  readers.stop();
  await expect(lookup).rejects.toThrow('stopped');
});
