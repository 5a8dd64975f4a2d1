import {
  decodeErasure,
  ErasedEvents,
  encodeErasure,
  eventDigest,
  readTombstone,
  requestDigest,
  tombstoneHeaders,
} from './erasures.ts';

const event = { eventId: 'evt-1', source: 'root-cause.events/0/17' };

test('all copies of an event have the same digest, other events another, and none can be read from it', () => {
  expect(eventDigest({ ...event, ...{ replayId: 'replay-1', attempt: 3 } })).toBe(eventDigest(event));
  expect(eventDigest({ ...event, source: 'root-cause.events/0/18' })).not.toBe(eventDigest(event));
  expect(eventDigest(event)).toMatch(/^[\w-]{43}$/);
  expect(eventDigest({ eventId: 'x' })).not.toBe(requestDigest('x'));
});

test('an erasure is read as it was written, and what is none is not read', () => {
  const erasure = { v: 1, atMs: 5, events: [eventDigest(event)] } as const;
  expect(decodeErasure(Buffer.from(encodeErasure({ ...erasure, events: [...erasure.events] })))).toEqual(erasure);
  expect(decodeErasure(Buffer.from('{}'))).toBeUndefined();
});

test('an event is erased as long as a record names it, under whichever request id', () => {
  const erased = new ErasedEvents();
  expect(erased.has(event)).toBe(false);
  expect(erased.set('request-1', [eventDigest(event)])).toBe(true);
  expect(erased.set('request-2', [eventDigest(event), eventDigest({ eventId: 'other' })])).toBe(true);
  expect(erased.set('request-2', [eventDigest(event)])).toBe(false);
  expect([erased.has(event), erased.has({ eventId: 'other' })]).toEqual([true, false]);
  erased.set('request-1');
  expect(erased.has(event)).toBe(true);
  erased.set('request-2');
  expect(erased.has(event)).toBe(false);
  expect(erased.of('request-2')).toEqual([]);
});

test('a tombstone tells the books which event was there and when, and any other one tells nothing', () => {
  for (const erased of [{ digest: 'd' }, { digest: 'd', replayId: 'redrive-0-7', writtenAtMs: 17 }]) {
    expect(readTombstone(tombstoneHeaders(erased))).toEqual(erased);
  }
  expect(readTombstone({})).toBeUndefined();
});
