/** The second half: measures how fast one delivery worker drains a backlog into an endpoint that answers at once. */
import { setTimeout as delay } from 'node:timers/promises';
import { applyYaml, type Child, startService } from './child.ts';
import { BULK_CUSTOMER, bulkYaml, transcript } from './customers/cast.ts';
import { rootCauseEvent } from './customers/root-cause-event.ts';
import { Sink } from './customers/sink-process.ts';
import { sumOf, writtenFor } from './live/observe.ts';
import { bar, step } from './live/say.ts';
import { peakRssMiB } from './process-usage.ts';
import type { Stage } from './stage.ts';
import { STEPS } from './texts.ts';

export interface Throughput {
  readonly deliveries: number;
  readonly seconds: number;
  readonly perSecond: number;
  readonly peakRssMiB: number;
  /** The worker's processor time per delivery, in µs: it does not depend on the other load of the machine. */
  readonly cpuMicrosEach: number;
  /** Requests for an event beyond its first. */
  readonly repeats: number;
}

/** The sink answers at once, and keeps the ids. */
const SINK_PATH = '/record/events';
const BATCH_EVENTS = 1_000;
/** The length of a transcript that makes an event of about 2 KB. */
const TRANSCRIPT_BYTES = 1_500;
const BAR_WIDTH = 40;
const LOOK_EVERY_MS = 200;
const GIVE_UP_AFTER_MS = 120_000;

/**
 * @param delivery the running worker; a fresh one replaces it, so that the memory is that of this run
 * @param controlPlane stopped once the customer exists: it would follow each attempt, on the same processors
 */
export async function measureThroughput(
  { admin, upstream, env, keys }: Stage,
  { delivery, controlPlane }: { readonly delivery: Child; readonly controlPlane: Child },
): Promise<Throughput> {
  const { customer, company, events } = BULK_CUSTOMER;
  const sink = await Sink.start();
  await step(STEPS.stopped, () => delivery.stop());

  await step(STEPS.backlog, async (status) => {
    await applyYaml(bulkYaml(sink.url(SINK_PATH)), env);
    await controlPlane.stop();
    for (let made = 0; made < events; made += BATCH_EVENTS) {
      const count = Math.min(BATCH_EVENTS, events - made);
      const facts = { company, folder: 'Support', transcript: transcript(TRANSCRIPT_BYTES) };
      status.show(`producing for "${customer}": ${bar(BAR_WIDTH, events, [[made, 'yellow']])} ${made}`);
      await upstream.produce(Array.from({ length: count }, () => rootCauseEvent(facts)));
    }
    await until('fan-out has written them', async () => {
      const written = await writtenFor(admin, customer);
      status.show(`fan-out writes them: ${bar(BAR_WIDTH, events, [[written, 'yellow']])} ${written}`);
      return written >= events;
    });
  });

  const worker = await step(STEPS.worker, () => startService('delivery', { ...env, DATABRIDGE_KEYS: keys.delivery }));
  const cpuOf = async () => sumOf(await worker.metrics(), 'process_cpu_seconds_total');
  const cpuAtStart = await cpuOf();
  let peakMiB = 0;
  const report = await step(STEPS.delivered, async (status) => {
    for (;;) {
      const count = await sink.count(SINK_PATH);
      status.show(`delivered: ${bar(BAR_WIDTH, events, [[count.requests, 'green']])} ${count.requests}`);
      peakMiB = Math.max(peakMiB, await memoryMiB(worker));
      const distinct = count.requests < events ? 0 : (await sink.arrivals()).size;
      if (distinct >= events) return { ...count, events: distinct };
      await delay(LOOK_EVERY_MS);
    }
  });
  const cpuSeconds = (await cpuOf()) - cpuAtStart;
  // What was delivered counts once its offset is committed: the reconciliation comes next.
  await worker.stop();
  await sink.stop();

  const seconds = (report.latestAtMs - report.firstAtMs) / 1_000;
  const repeats = report.requests - report.events;
  return {
    deliveries: report.events,
    seconds,
    perSecond: report.requests / seconds,
    peakRssMiB: peakMiB,
    cpuMicrosEach: (cpuSeconds * 1e6) / report.requests,
    repeats,
  };
}

/** Returns the kernel's high-water mark where available; else the memory that the worker reports now. */
async function memoryMiB(worker: Child): Promise<number> {
  try {
    return await peakRssMiB(worker.pid);
  } catch {
    return sumOf(await worker.metrics(), 'process_resident_memory_bytes') / 1_024 ** 2;
  }
}

async function until(what: string, isSo: () => Promise<boolean>): Promise<void> {
  const giveUpAtMs = performance.now() + GIVE_UP_AFTER_MS;
  while (!(await isSo())) {
    if (performance.now() > giveUpAtMs)
      throw new Error(`Waited ${GIVE_UP_AFTER_MS / 1_000} s without success until ${what}.`);
    await delay(LOOK_EVERY_MS);
  }
}
