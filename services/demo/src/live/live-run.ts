/** The first half: produces 300 events for three customers, and watches until all that can be delivered are. */
import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { Child, LogLine } from '../child.ts';
import { CAST, REFUSED_EVENTS, transcript, UNWANTED_EVENTS } from '../customers/cast.ts';
import { deadUrl, failsNowAndThen, type Receiver, startReceiver } from '../customers/receivers.ts';
import { type RootCauseEvent, rootCauseEvent } from '../customers/root-cause-event.ts';
import type { Stage } from '../stage.ts';
import type { LiveView, Moment } from './live-view.ts';
import { type Snapshot, takeSnapshot } from './observe.ts';

/** The healthy customer's API answers 400 to an event whose transcript contains this. */
export const UNACCEPTABLE = 'this call must not leave the building';

const PRODUCE_EVERY_MS = 250;
const EVENTS_A_BATCH = 10;
const LOOK_EVERY_MS = 250;
const GIVE_UP_AFTER_MS = 120_000;

export interface Endpoints {
  readonly urls: Readonly<Record<string, string>>;
  /** Maps each customer to the ids that its API recorded as accepted. */
  accepted(): Record<string, ReadonlySet<string>>;
  stop(): Promise<void>;
}

export async function startEndpoints(): Promise<Endpoints> {
  const receivers = new Map<string, Receiver>();
  const urls: Record<string, string> = {};
  for (const { customer, temper } of CAST) {
    if (temper === 'down') {
      urls[customer] = await deadUrl();
      continue;
    }
    const isPatient = temper === 'healthy';
    const receiver = await startReceiver((id, nth, body) => {
      if (body.includes(UNACCEPTABLE)) return 400;
      return isPatient ? 200 : failsNowAndThen(id, nth);
    });
    receivers.set(customer, receiver);
    urls[customer] = receiver.url;
  }
  return {
    urls,
    accepted: () => Object.fromEntries([...receivers].map(([customer, { accepted }]) => [customer, accepted])),
    async stop() {
      await Promise.all([...receivers.values()].map((receiver) => receiver.stop()));
    },
  };
}

/** Maps each event id to its intended customer, or to `nobody` or `undecodable`. */
export type Produced = ReadonlyMap<string, string>;

export async function runLive(
  { admin, upstream }: Stage,
  services: { readonly fanOut: Child; readonly delivery: Child },
  view: LiveView,
): Promise<{ readonly produced: Produced; readonly last: Snapshot }> {
  const produced = new Map<string, string>();
  const planned = plannedEvents();
  const toProduce = planned.length + 1;
  const producing = (async () => {
    for (let start = 0; start < planned.length; start += EVENTS_A_BATCH) {
      const batch = planned.slice(start, start + EVENTS_A_BATCH);
      for (const { event, meantFor } of batch) produced.set(event.summary.requestid, meantFor);
      await upstream.produce(batch.map(({ event }) => event));
      await delay(PRODUCE_EVERY_MS);
    }
    const garbage = randomUUID();
    produced.set(garbage, 'undecodable');
    await upstream.produceGarbage(garbage);
  })();
  let failure: unknown;
  producing.catch((error: unknown) => {
    failure = error;
  });

  const startedAtMs = performance.now();
  for (;;) {
    const snapshot = await takeSnapshot(admin, services.fanOut, services.delivery);
    const elapsedMs = performance.now() - startedAtMs;
    const moment: Moment = { ...snapshot, elapsedMs, produced: produced.size, toProduce };
    view.show(moment);
    if (failure !== undefined) throw failure;
    if (isSettled(moment)) return { produced, last: snapshot };
    if (elapsedMs > GIVE_UP_AFTER_MS)
      throw new Error(`The events had not settled after ${GIVE_UP_AFTER_MS / 1_000} s.`);
    await delay(LOOK_EVERY_MS);
  }
}

/** Every event is routed, and delivered or dead, except those of the customer that is down. */
function isSettled({ produced, toProduce, matched, unmatched, quarantined, customers }: Moment): boolean {
  if (produced < toProduce || matched + unmatched + quarantined < toProduce) return false;
  return customers.every(({ temper, events, delivered, dead, uncommitted, breaker }) =>
    temper === 'down' ? breaker === 'open' : delivered + dead >= events && uncommitted === 0,
  );
}

export interface Planned {
  readonly event: RootCauseEvent;
  readonly meantFor: string;
}

export function plannedEvents(): Planned[] {
  const planned: Planned[] = [];
  for (const { customer, company, events, temper } of CAST) {
    for (let index = 0; index < events; index++) {
      const isRefused = temper === 'healthy' && index < REFUSED_EVENTS;
      const words = isRefused ? `${transcript()} ${UNACCEPTABLE}` : transcript();
      const folder = index % 3 === 0 ? 'Sales' : 'Support';
      planned.push({ event: rootCauseEvent({ company, folder, transcript: words }), meantFor: customer });
    }
  }
  for (let index = 0; index < UNWANTED_EVENTS; index++) {
    const event = rootCauseEvent({ company: 'ACME Corporation', folder: 'Internal', transcript: transcript() });
    planned.push({ event, meantFor: 'nobody' });
  }
  return planned
    .map((one) => ({ one, at: Math.random() }))
    .sort((a, b) => a.at - b.at)
    .map(({ one }) => one);
}

export const isAttempt = (line: LogLine): boolean => line['msg'] === 'attempt';
