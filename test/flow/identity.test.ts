/** Two records of the intake are two events, whatever event id their producer gives them: both are sent, kept, counted. */

import { readLetters } from '@databridge/control-plane/operations/letters';
import { redeliver } from '@databridge/control-plane/operations/redeliver';
import { redriveDeadLetters } from '@databridge/control-plane/operations/redrive';
import { gatherEvidence } from '@databridge/control-plane/views/gather-evidence';
import { reconcile } from '@databridge/control-plane/views/reconcile';
import { deadTopic, deliveryTopic } from '@databridge/schemas/records/topics';
import { rootCauseEvent } from '../harness/events.ts';
import { eventually } from '../harness/eventually.ts';
import { Receiver, type Script } from '../harness/receiver.ts';
import { Stage } from '../harness/stage.ts';
import { freshName } from '../harness/topics.ts';

const EVENT_ID = 'order-1';
let stage: Stage;

beforeAll(async () => {
  stage = await Stage.start({ delivery: { RETRY_PLAN: '1s*2,2s*100' } });
});

/** A customer for whom two different events with one event id are produced. */
async function twins(name: string, script: Script) {
  const customer = freshName(name);
  const receiver = await Receiver.start(script);
  await stage.subscribe(customer, receiver.url);
  const events = ['first', 'second'].map((transcript) => rootCauseEvent({ company: customer, transcript }));
  await stage.upstream.produce(events, { 'event-id': EVENT_ID });
  return { customer, receiver };
}

const transcripts = (receiver: Receiver) =>
  receiver.requests.map(({ body }) => (JSON.parse(body) as { clientwords: string }).clientwords).toSorted();

async function books(customer: string) {
  await eventually(
    () => stage.lag(customer, deliveryTopic(customer)),
    (lag) => lag === 0,
  );
  return reconcile(await gatherEvidence(stage.operations, customer, {}), {});
}

test('two events with one event id are both delivered while the first is in flight, and counted as two', async () => {
  const { customer, receiver } = await twins('twins', () => ({ delayMs: 300 }));
  await receiver.waitFor(({ requests }) => requests.length === 2);
  expect(transcripts(receiver)).toEqual(['first', 'second']);
  expect(receiver.requests.map(({ id }) => id)).toEqual([EVENT_ID, EVENT_ID]);
  expect(await books(customer)).toMatchObject({ written: 2, delivered: 2, deliveredAgain: 0, unaccounted: [] });

  const { events } = await redeliver(stage.operations, customer, { kind: 'event', eventId: EVENT_ID });
  expect(events).toBe(2);
  await receiver.waitFor(({ requests }) => requests.length === 4);
  expect(transcripts(receiver)).toEqual(['first', 'first', 'second', 'second']);
  expect(await books(customer)).toMatchObject({ written: 2, delivered: 2, deliveredAgain: 2 });
});

test('both wait and are retried in the same retry lane', async () => {
  const { receiver } = await twins('twin-retries', (_request, nth) => (nth <= 2 ? { status: 503 } : {}));
  await receiver.waitFor(({ requests }) => requests.length === 4);
  expect(transcripts(receiver)).toEqual(['first', 'first', 'second', 'second']);
});

test('both refused: two dead letters, both are redriven', async () => {
  const { customer, receiver } = await twins('twin-letters', () => ({ status: 400 }));
  await receiver.waitFor(({ requests }) => requests.length === 2);
  expect(await books(customer)).toMatchObject({ written: 2, dead: 2, unaccounted: [] });
  const keys: string[] = [];
  await readLetters(stage.operations, deadTopic(customer), (letters) => {
    keys.push(...letters.map(({ key }) => key));
  });
  expect(keys.map((key) => key.split('@')[0])).toEqual([EVENT_ID, EVENT_ID]);

  receiver.script = () => ({});
  expect(await redriveDeadLetters(stage.operations, customer, { keys: [keys[0] ?? ''] })).toEqual({
    taken: 1,
    stayed: 0,
  });
  await receiver.waitFor(({ requests }) => requests.length === 3);
  expect(await redriveDeadLetters(stage.operations, customer)).toEqual({ taken: 1, stayed: 0 });
  await receiver.waitFor(({ requests }) => requests.length === 4);
  expect(transcripts(receiver)).toEqual(['first', 'first', 'second', 'second']);
  expect(await books(customer)).toMatchObject({ written: 2, delivered: 2, dead: 0, unaccounted: [] });
});
