/** The bytes of an erased call are removed by compaction, whatever is written meanwhile; nothing else ever is. */

import { CompactionSettings } from '@databridge/control-plane/erasure/compaction-settings';
import { eraseCall } from '@databridge/control-plane/erasure/erase';
import type { ErasureReceipt } from '@databridge/control-plane/erasure/receipt';
import { type Run, untracked } from '@databridge/control-plane/operations/run';
import type { ProducedRecord } from '@databridge/kernel/kafka/records';
import { decodeErasure, ErasedEvents } from '@databridge/schemas/privacy/erasures';
import { writeDeadLetterHeaders, writeDeliveryHeaders } from '@databridge/schemas/records/headers';
import { copyKeyOf, letterKeyOf } from '@databridge/schemas/records/identity';
import {
  customerTopics,
  deadTopic,
  deliveryGroup,
  deliveryTopic,
  ERASED_TOPIC,
  retryTopic,
} from '@databridge/schemas/records/topics';
import { Stage } from '../harness/stage.ts';
import { freshName } from '../harness/topics.ts';

let stage: Stage;

beforeAll(async () => {
  stage = await Stage.start();
});

/** What stands for an event: a decoder that the test does not need would refuse it, and then its bytes tell. */
const transcriptOf = (requestId: string) => Buffer.from(`the transcript of ${requestId}`);

interface Written {
  readonly id: string;
  readonly requestId: string;
  readonly attempt?: number;
}

function laneRecord(topic: string, { id, requestId, attempt = 0 }: Written): ProducedRecord {
  const facts = { eventId: id, eventType: 'root-cause', source: `intake/0/${id.length}`, attempt };
  return { topic, key: copyKeyOf(facts), value: transcriptOf(requestId), headers: writeDeliveryHeaders(facts) };
}

function letter(topic: string, { id, requestId }: Written): ProducedRecord {
  const facts = {
    eventId: id,
    eventType: 'root-cause',
    source: `intake/0/${id.length}`,
    attempt: 1,
    reason: 'refused',
  };
  return { topic, key: letterKeyOf(facts), value: transcriptOf(requestId), headers: writeDeadLetterHeaders(facts) };
}

async function newCustomer(): Promise<string> {
  const customer = freshName('bytes');
  await stage.admin.ensureTopics(customerTopics(customer, ['1s']));
  return customer;
}

const write = (...records: ProducedRecord[]) => stage.operations.producer.send(records);

/** @param onStep is called as often as the erasure says what it does */
async function erase(requestId: string, onStep: (step: string) => Promise<void> = async () => undefined) {
  const events = new ErasedEvents();
  const run: Run = { ...untracked, reportProgress: async (_done, { step = '' } = {}) => onStep(step) };
  const receipt = await eraseCall(
    {
      ...stage.operations,
      events: { render: async () => ({ unreadable: 'no Avro' }) },
      erasures: { events, refreshed: async () => undefined },
      commit: async (changes) => {
        for (const { topic, key, value } of changes.flatMap((change) => ('records' in change ? change.records : []))) {
          if (topic === ERASED_TOPIC) events.set(String(key), decodeErasure(Buffer.from(String(value)))?.events);
        }
      },
    },
    { requestId },
    run,
    // Long enough for a round, and for what it does not find.
    { settledAfterMs: 3_000, compactedWithinMs: 20_000, giveUpAfterMs: 45_000 },
  );
  return receipt;
}

const kept = ({ remainders }: ErasureReceipt) =>
  remainders.map(({ topic, copies, because }) => ({ topic, copies, because }));
const valuesOf = async (topic: string) => (await stage.read(topic)).map(({ value }) => value?.toString() ?? null);

test('copies that are written while the call is erased are removed as well, and other events stay', async () => {
  const customer = await newCustomer();
  const [main, retry, dead] = [deliveryTopic(customer), retryTopic(customer, '1s'), deadTopic(customer)];
  const [requestId, other] = [crypto.randomUUID(), crypto.randomUUID()];
  await write(
    laneRecord(main, { id: 'a', requestId: other }),
    laneRecord(main, { id: 'gone', requestId }),
    laneRecord(main, { id: 'bb', requestId: other }),
    letter(dead, { id: 'ccc', requestId: other }),
  );
  let isLate = false;
  const receipt = await erase(requestId, async (step) => {
    if (isLate || step !== 'waiting for Kafka to compact') return;
    isLate = true;
    // Workers that did not know of the erasure yet.
    await write(
      laneRecord(retry, { id: 'gone', requestId, attempt: 1 }),
      letter(dead, { id: 'gone', requestId }),
      laneRecord(main, { id: 'dddd', requestId: other }),
    );
  });
  expect(isLate).toBe(true);
  expect(receipt).toMatchObject({ events: 1, removed: 3, remainders: [] });
  const there = [await valuesOf(main), await valuesOf(retry), await valuesOf(dead)];
  const rest = transcriptOf(other).toString();
  expect(there.map((values) => values.filter((value) => value !== null))).toEqual([[rest, rest, rest], [], [rest]]);
  const settings = await stage.admin.topicSettings([main, retry, dead]);
  expect(
    [...settings.values()].map((own) => [own['cleanup.policy'], own['segment.ms'], own['min.cleanable.dirty.ratio']]),
  ).toEqual([
    ['delete', undefined, undefined],
    ['delete', undefined, undefined],
    ['compact,delete', undefined, undefined],
  ]);
});

test('a lane with keys of an earlier version is not compacted: another event may have the same one', async () => {
  const customer = await newCustomer();
  const main = deliveryTopic(customer);
  const [requestId, other] = [crypto.randomUUID(), crypto.randomUUID()];
  const old = (one: Written) => ({ ...laneRecord(main, one), key: 'their-id' });
  await write(
    old({ id: 'a', requestId: other }),
    laneRecord(main, { id: 'gone', requestId }),
    old({ id: 'bb', requestId: other }),
  );
  expect(kept(await erase(requestId))).toEqual([{ topic: main, copies: 1, because: 'earlier-version' }]);
  expect((await valuesOf(main)).filter((value) => value !== null)).toHaveLength(3);
});

test('a lane in which a record waits that has a copy behind it is compacted once that is delivered', async () => {
  const customer = await newCustomer();
  const main = deliveryTopic(customer);
  const [requestId, other] = [crypto.randomUUID(), crypto.randomUUID()];
  const twice = laneRecord(main, { id: 'a', requestId: other });
  await write(twice, laneRecord(main, { id: 'gone', requestId }), twice);
  expect(kept(await erase(requestId))).toEqual([{ topic: main, copies: 1, because: 'copies-wait' }]);
  const values = await valuesOf(main);
  expect(values.filter((value) => value === transcriptOf(other).toString())).toHaveLength(2);
  expect(values).toContain(transcriptOf(requestId).toString());

  await stage.admin.setOffsets(deliveryGroup(customer), [
    { topic: main, partition: 0, offset: values.length, metadata: '' },
  ]);
  expect(await erase(requestId)).toMatchObject({ removed: 1, remainders: [] });
  expect((await valuesOf(main)).filter((value) => value !== null)).toEqual([transcriptOf(other).toString()]);
});

test('an erasure that a kill cut off gives topics back the settings that they had', async () => {
  const main = deliveryTopic(await newCustomer());
  await stage.admin.changeTopicSettings([main], { 'segment.ms': '86400000' });
  const settingsOf = async () => (await stage.admin.topicSettings([main])).get(main);
  const before = await settingsOf();
  let checkpoint: Run['checkpoint'] = {};
  const killed = new CompactionSettings(stage.admin, {
    ...untracked,
    note: async (noted) => {
      checkpoint = noted.checkpoint ?? {};
    },
  });
  await killed.remember([main]);
  await killed.set(main, 'roll');
  await killed.set(main, 'compact');
  expect(await settingsOf()).toMatchObject({ 'cleanup.policy': 'compact,delete', 'segment.ms': '86400000' });
  await new CompactionSettings(stage.admin, { ...untracked, checkpoint }).restoreNoted();
  expect(await settingsOf()).toEqual(before);
});
