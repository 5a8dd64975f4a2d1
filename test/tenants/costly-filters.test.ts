/**
 * Hostile tenants: filters near the limit of what is allowed, asked of every event of a healthy customer. They get their
 * part of fan-out's time, and what they are not asked about goes to them; the healthy customer's events are as fast as
 * without them.
 */
import { deliveryTopic, SUBSCRIPTIONS_TOPIC } from '@databridge/schemas/records/topics';
import type { DeclaredMatch } from '@databridge/schemas/subscription/routing';
import { encodeSubscription } from '@databridge/schemas/subscription/subscription';
import { SteadyLoad } from '../harness/load/steady-load.ts';
import { METERED } from '../harness/load/turns.ts';
import { Receiver } from '../harness/receiver.ts';
import { Stage } from '../harness/stage.ts';
import { freshName } from '../harness/topics.ts';

/** Each asks for what no event has, in an "or", so that CEL makes 300 errors: 3 ms, or 300 ms of each second for each customer. */
const NUMBERS = Array.from({ length: 150 }, (_, n) => n).join();
const REASON = 'event.callback.call_callback.reason';
/** Of each customer another one: the same is evaluated once for all. */
const costly = (customer: string) => `[${NUMBERS}].exists(x, ${REASON} == "a" || ${REASON} == "${customer}")`;
const HOSTILE_CUSTOMERS = 5;

test('costly filters of some customers delay no event of another', async () => {
  const stage = await Stage.start({ fanOut: METERED });
  const healthy = await SteadyLoad.start(stage);
  const receiver = await Receiver.start();
  const hostile = Array.from({ length: HOSTILE_CUSTOMERS }, () => freshName('costly'));
  // Paused: this is about fan-out alone.
  for (const customer of hostile) await stage.subscribe(customer, receiver.url, { state: 'paused' });

  const stored = await stage.operations.subscriptions();
  const write = async (match: DeclaredMatch, filterOf: (customer: string) => string) => {
    const records = hostile.map((customer) => {
      const subscription = stored.get(customer);
      if (subscription === undefined) throw new Error(`${customer} is not stored`);
      // As the customer itself narrows what an operator gave it.
      const narrowed = { ...subscription, match, granted: {}, filter: filterOf(customer) };
      return { topic: SUBSCRIPTIONS_TOPIC, key: customer, value: encodeSubscription(narrowed) };
    });
    await stage.operations.producer.send(records);
  };
  const compared = await healthy.compare(
    {
      begin: () => write({ company: [healthy.customer] }, costly),
      end: () => write({ company: ['nobody'] }, () => 'false'),
    },
    stage.fanOut,
  );
  const failures = /^databridge_fan_out_filter_failures_total{.*} (\d+)$/gm;
  const skipped = [...(await stage.fanOut.metrics()).matchAll(failures)].reduce((sum, [, n]) => sum + Number(n), 0);
  process.stderr.write(`  ${JSON.stringify(compared)}, ${skipped} evaluations left out\n`);
  expect(compared).toEqual({ ...compared, isWithinBounds: true });
  // Otherwise the comparison proves nothing: there was time for all of them.
  expect(skipped).toBeGreaterThan(0);
  const copies = (await Promise.all(hostile.map((one) => stage.read(deliveryTopic(one))))).flat();
  expect(copies.length).toBeGreaterThanOrEqual(skipped);
}, 300_000);
