/**
 * `docker compose run demo`: runs the demo with running services, which keep running. It observes them from outside
 * only, by the intake, the control plane's API, fan-out's metrics and the records of the customers' APIs. So workers
 * may come and go meanwhile. The exit code is 0 only if every event is accounted for. It may be run repeatedly.
 */
import { randomBytes, randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { styleText } from 'node:util';
import { messageOf } from '@databridge/kernel/errors';
import { KafkaAdmin } from '@databridge/kernel/kafka/admin/admin';
import { kafkaSettings } from '@databridge/kernel/kafka/settings';
import { createLogger } from '@databridge/kernel/log';
import { kafkaVariables, readConfig, registryVariables, whole } from '@databridge/kernel/settings/config';
import { FAN_OUT_GROUP } from '@databridge/schemas/records/topics';
import { z } from 'zod';
import { applyYaml, databridge } from './child.ts';
import {
  BULK_CUSTOMER,
  bulkYaml,
  CAST,
  EVENT_TYPE,
  INTAKE_TOPIC,
  secretVariable,
  subscriptionsYaml,
  transcript,
} from './customers/cast.ts';
import { rootCauseEvent } from './customers/root-cause-event.ts';
import { plannedEvents } from './live/live-run.ts';
import { FAN_OUT_EVENTS, sumOf } from './live/observe.ts';
import { indent, say, sayTitle, step } from './live/say.ts';
import { type CustomerAccount, settle } from './settlement.ts';
import { Upstream } from './upstream.ts';
import { addsUp, printSettlement, quarantinedIds } from './verdict.ts';

const config = readConfig(
  z.object({
    ...kafkaVariables,
    ...registryVariables,
    /** The URL of `customer-apis.ts`, as the delivery workers reach it. */
    RECEIVER_URL: z.url(),
    /** The URL of fan-out's admin port. */
    FAN_OUT_URL: z.url(),
    /** The number of additional events, for a customer whose API answers at once: they leave time to kill a worker. */
    DEMO_LOAD: whole(0, 0, 1_000_000),
  }),
  process.env,
);

const LOAD_PER_SECOND = 1_000;
const LOOK_EVERY_MS = 2_000;
const GIVE_UP_AFTER_MS = 600_000;
const BATCH_EVENTS = 1_000;
const PRODUCE_EVERY_MS = 250;
const EVENTS_A_BATCH = 10;

const customers = [
  ...CAST.map(({ customer, events, temper }) => ({ customer, events, isDown: temper === 'down' })),
  ...(config.DEMO_LOAD > 0 ? [{ customer: BULK_CUSTOMER.customer, events: config.DEMO_LOAD, isDown: false }] : []),
];
const secrets = CAST.map(({ customer }) => [secretVariable(customer), randomBytes(16).toString('hex')]);
const env = { ...process.env, ...Object.fromEntries(secrets) };
const kafka = kafkaSettings(config, 'demo', createLogger('demo', 'silent'));
const admin = new KafkaAdmin(kafka);
const upstream = new Upstream(kafka, config.SCHEMA_REGISTRY_URL);

/** Port 4 is not assigned, so connections to it are refused. */
const urlOf = (customer: string, isDown: boolean) => {
  const url = new URL(`/${customer}/events`, config.RECEIVER_URL);
  if (isDown) url.port = '4';
  return url.href;
};

async function demo(): Promise<boolean> {
  sayTitle('Databridge Events, as it runs here');
  const urls = Object.fromEntries(customers.map(({ customer, isDown }) => [customer, urlOf(customer, isDown)]));
  const since = new Date().toISOString();
  await Promise.all([admin.connect(), upstream.start()]);
  const unmatchedBefore = await unmatchedEvents();
  const applied = await step(`${customers.length} customers applied`, async () => {
    if (config.DEMO_LOAD > 0) await applyYaml(bulkYaml(urls[BULK_CUSTOMER.customer] ?? '', LOAD_PER_SECOND), env);
    return await applyYaml(subscriptionsYaml({ urls }), env);
  });
  say(styleText('dim', indent(indent(applied))));

  const produced = new Map<string, string>();
  const producing = produceAll(produced);
  const accounts = await watch(since, producing);
  await producing;

  sayTitle('Does it add up?');
  const quarantined = await quarantinedIds(kafka);
  const settlement = settle({
    produced,
    accounts,
    // Earlier runs have left theirs.
    quarantined: new Set([...quarantined].filter((id) => produced.has(id))),
    unmatchedCount: (await unmatchedEvents()) - unmatchedBefore,
    accepted: Object.fromEntries(
      await Promise.all(customers.map(async ({ customer }) => [customer, await acceptedBy(customer, produced)])),
    ),
  });
  printSettlement(settlement);
  await pauseTheOneThatIsDown();
  return addsUp(settlement);
}

async function produceAll(produced: Map<string, string>): Promise<void> {
  for (let made = 0; made < config.DEMO_LOAD; made += BATCH_EVENTS) {
    const facts = { company: BULK_CUSTOMER.company, folder: 'Support', transcript: transcript() };
    const count = Math.min(BATCH_EVENTS, config.DEMO_LOAD - made);
    const ids = await upstream.produce(Array.from({ length: count }, () => rootCauseEvent(facts)));
    for (const id of ids) produced.set(id, BULK_CUSTOMER.customer);
  }
  const planned = plannedEvents();
  for (let start = 0; start < planned.length; start += EVENTS_A_BATCH) {
    const batch = planned.slice(start, start + EVENTS_A_BATCH);
    for (const { event, meantFor } of batch) produced.set(event.summary.requestid, meantFor);
    await upstream.produce(batch.map(({ event }) => event));
    await delay(PRODUCE_EVERY_MS);
  }
  const garbage = randomUUID();
  produced.set(garbage, 'undecodable');
  await upstream.produceGarbage(garbage);
}

/** Shows progress until every event is settled. @returns the accounts of that moment */
async function watch(since: string, producing: Promise<void>): Promise<CustomerAccount[]> {
  let isProduced = false;
  let failure: unknown;
  producing.then(
    () => {
      isProduced = true;
    },
    (error: unknown) => {
      failure = error;
    },
  );
  const names = customers.map(({ customer }) => customer);
  const startedAtMs = performance.now();
  for (;;) {
    const isRouted = isProduced && (await intakeLag()) === 0;
    const text = await databridge(['reconcile', ...names, '--json', '--events', '--from', since], env);
    const accounts = JSON.parse(text) as CustomerAccount[];
    const elapsedMs = performance.now() - startedAtMs;
    say(`  ${(elapsedMs / 1_000).toFixed(1).padStart(6)} s  ${accounts.map(formatAccount).join(' | ')}`);
    if (failure !== undefined) throw failure;
    if (isRouted && customers.every((one) => isSettled(one, accounts))) return accounts;
    if (elapsedMs > GIVE_UP_AFTER_MS) throw new Error(`Not settled after ${GIVE_UP_AFTER_MS / 1_000} s.`);
    await delay(LOOK_EVERY_MS);
  }
}

/** Maps each fate to the number of the customer's events. */
function fatesOf(account: CustomerAccount | undefined): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const fate of Object.values(account?.events ?? {})) counts[fate] = (counts[fate] ?? 0) + 1;
  return counts;
}

function isSettled({ customer, events, isDown }: (typeof customers)[number], accounts: CustomerAccount[]): boolean {
  const { delivered = 0, dead = 0, waiting = 0 } = fatesOf(accounts.find((one) => one.customer === customer));
  return isDown ? waiting === events : delivered + dead === events && waiting === 0;
}

function formatAccount(account: CustomerAccount): string {
  const counts = Object.entries(fatesOf(account)).map(([fate, count]) => `${count} ${fate}`);
  return `${account.customer} ${counts.join(', ') || 'nothing yet'}`;
}

async function intakeLag(): Promise<number> {
  const committed = await admin.committedOffsets(FAN_OUT_GROUP);
  const ends = await admin.watermarks(INTAKE_TOPIC);
  return ends.reduce((sum, { partition, low, high }) => {
    const found = committed.find((one) => one.topic === INTAKE_TOPIC && one.partition === partition);
    return sum + high - (found?.offset ?? low);
  }, 0);
}

async function unmatchedEvents(): Promise<number> {
  const metrics = await (await fetch(new URL('/metrics', config.FAN_OUT_URL))).text();
  return sumOf(metrics, FAN_OUT_EVENTS, { event_type: EVENT_TYPE, outcome: 'unmatched' });
}

async function acceptedBy(customer: string, produced: ReadonlyMap<string, string>): Promise<Set<string>> {
  const ids = (await (await fetch(new URL(`/${customer}/books`, config.RECEIVER_URL))).json()) as string[];
  return new Set(ids.filter((id) => produced.has(id)));
}

/** Without a pause, its events would be retried at a dead endpoint for a day. The next run activates it. */
async function pauseTheOneThatIsDown(): Promise<void> {
  await databridge(['pause', ...customers.filter(({ isDown }) => isDown).map(({ customer }) => customer)], env);
}

let exitCode = 1;
try {
  exitCode = (await demo()) ? 0 : 1;
} catch (error) {
  say(`\n  ${styleText('red', `✘ ${messageOf(error)}`)}`);
}
await Promise.all([admin.disconnect(), upstream.stop()]);
process.exit(exitCode);
