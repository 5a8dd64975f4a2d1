/** Reconciliation is complete: it counts what left no copy behind, and knows events that are older than the attempt log. */
import { Tokens } from '@databridge/kernel/secrets/tokens';
import { ATTEMPTS_TOPIC } from '@databridge/schemas/records/topics';
import { rootCauseEvent } from '../harness/events.ts';
import { eventually } from '../harness/eventually.ts';
import { upstreamKafka } from '../harness/kafka/upstream-kafka.ts';
import { platform } from '../harness/platform.ts';
import { Receiver } from '../harness/receiver.ts';
import { type ControlPlane, startControlPlane } from '../harness/services/control-plane.ts';
import { startService } from '../harness/services/processes.ts';
import { Stage } from '../harness/stage.ts';
import { freshName } from '../harness/topics.ts';

let stage: Stage;
let plane: ControlPlane;

beforeAll(async () => {
  stage = await Stage.start();
  plane = await startControlPlane([Tokens.generate('ann', 'operator')], { DATABRIDGE_KEYS: stage.keys });
});
afterAll(() => plane?.service.stop());

const intake = async () => (await plane.call('GET', '/intake')).body;

test('what no subscription or no filter let through is counted once, also after fan-out was killed', async () => {
  const customer = freshName('picky');
  const receiver = await Receiver.start();
  await stage.subscribe(customer, receiver.url, { filter: 'event.statusCode == 200' });
  const [wanted, excluded] = [rootCauseEvent({ company: customer }), rootCauseEvent({ company: customer })];
  const foreign = () => rootCauseEvent({ company: freshName('nobody') });
  await stage.upstream.produce([wanted, { ...excluded, statusCode: 500 }, foreign(), foreign()]);
  await receiver.waitFor(({ accepted }) => accepted === 1);
  const before = await eventually(intake, ({ unmatched }) => unmatched === 3);
  expect(before).toEqual({ unmatched: 3, filtered: 1, sinceMs: expect.any(Number) });

  await stage.fanOut.kill();
  await startService('fan-out', { EVENT_TYPES: `root-cause=${stage.upstream.topic}` });
  await stage.upstream.produce([foreign()]);
  const after = await eventually(intake, ({ unmatched }) => unmatched === 4, 60_000);
  expect(after).toEqual({ ...before, unmatched: 4 });
});

test('events whose attempts are no longer kept are settled, not lost', async () => {
  const customer = freshName('old');
  const receiver = await Receiver.start();
  await stage.subscribe(customer, receiver.url);
  await stage.upstream.produce([rootCauseEvent({ company: customer }), rootCauseEvent({ company: customer })]);
  const books = async () => (await plane.call('GET', `/subscriptions/${customer}/reconciliation`)).body;
  await eventually(books, ({ delivered, waiting }) => delivered === 2 && waiting === 0);

  const admin = upstreamKafka(platform().brokers).admin();
  await admin.connect();
  const ends = await admin.fetchTopicOffsets(ATTEMPTS_TOPIC);
  const partitions = ends.map(({ partition, high }) => ({ partition, offset: high }));
  await admin.deleteTopicRecords({ topic: ATTEMPTS_TOPIC, partitions });
  await admin.disconnect();
  const found = await eventually(books, ({ settled }) => settled === 2);
  expect(found).toMatchObject({ written: 2, delivered: 0, settled: 2, unaccounted: [] });
});
