import { ErasedEvents, eventDigest, readTombstone } from '@databridge/schemas/privacy/erasures';
import { writeDeliveryHeaders } from '@databridge/schemas/records/headers';
import { copyKeyOf } from '@databridge/schemas/records/identity';
import { withoutErased } from './without-erased.ts';

const copyOf = (eventId: string) => {
  const facts = { eventId, eventType: 'root-cause', source: `in/0/${eventId.length}`, attempt: 0 };
  return {
    facts,
    record: { topic: 'delivery.a', key: copyKeyOf(facts), value: 'x', headers: writeDeliveryHeaders(facts) },
  };
};

test('an event that was erased before it was copied leaves a tombstone, and others are written as they are', () => {
  const [gone, other] = [copyOf('gone'), copyOf('other-one')];
  const erased = new ErasedEvents();
  const records = [gone.record, other.record];
  expect(withoutErased(records, erased)).toBe(records);
  erased.set('request', [eventDigest(gone.facts)]);
  const [tombstone, kept] = withoutErased(records, erased);
  expect(kept).toBe(other.record);
  expect(tombstone).toMatchObject({ topic: 'delivery.a', key: gone.record.key, value: null });
  expect(readTombstone(tombstone?.headers ?? {})).toEqual({ digest: eventDigest(gone.facts) });
});
