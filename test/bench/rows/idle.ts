/**
 * What customers cost that have nothing to do: to start them, to keep them, and to take them over from a worker that
 * was killed; and that they are there at once when there is something to do.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { CUSTOMERS_STARTED } from '@databridge/delivery/worker/start-garbage';
import type { Child, LogLine } from '@databridge/demo/child';
import { cpuMs, rssMiB } from '@databridge/demo/process-usage';
import { deliveryTopic } from '@databridge/schemas/records/topics';
import { laneHeaders } from '../loader.ts';
import type { Measure } from '../measure.ts';
import { INTAKE, Stand, until } from '../stand.ts';
import type { Row } from './row.ts';

/** Joins end in rebalances and first fetches: rest comes a little later. */
const SETTLE_MS = 5_000;
/** The default of a worker: a killed one is noticed after this. */
const SESSION_TIMEOUT_SECONDS = 10;
const LOOK_EVERY_MS = 20;
const row = 'idle';

export const idle: Row = ({ scale, say }) =>
  Stand.with(async (stand) => {
    // Both targets are for a full worker: with few customers, noise weighs more than they do.
    const full = scale.idleCustomers >= 1_000;
    const customers = names(scale.idleCustomers);
    const count = customers.length;
    const a = `${count.toLocaleString('en')} customers`;

    await stand.subscribe([{ customer: 'alone', path: '/accept/alone' }]);
    const empty = await started(stand, 1);
    const base = await atRest(empty.worker, scale.idleSeconds);
    await empty.worker.stop();

    await stand.subscribe(customers.map((customer) => ({ customer, path: '/accept/idle' })));
    say(`${count} customers subscribed`);
    const { worker, seconds } = await started(stand, count + 1);
    say(`all run after ${seconds.toFixed(1)} s`);
    const rest = await atRest(worker, scale.idleSeconds);

    const sentAtMs = performance.now();
    await stand.load({
      topic: (n) => deliveryTopic(customers[n] as string),
      count,
      values: stand.samples(),
      headers: laneHeaders(stand.eventType.name, INTAKE),
    });
    const received = async () => (await stand.sink.count('/accept/idle')).requests;
    await until('every customer got its event', received, (requests) => requests >= count);
    const oneEachSeconds = (performance.now() - sentAtMs) / 1_000;

    const killedAtMs = performance.now();
    await worker.kill();
    const next = await started(stand, count + 1);
    const takenOverSeconds = (performance.now() - killedAtMs) / 1_000;
    say(`taken over after ${takenOverSeconds.toFixed(1)} s`);
    await next.worker.kill();

    const memory = ((rest.memoryMiB - base.memoryMiB) * 1.048_576) / count;
    const busy = Math.max(0, 100 * (rest.busy - base.busy)) / count;
    return [
      { row, name: `start-up, ${a}`, unit: 's', values: [seconds], ...(full && { target: { atMost: 3 } }) },
      { row, name: 'start-up, 1 customer', unit: 's', values: [empty.seconds] },
      { row, name: 'memory, all', unit: 'MiB', values: [rest.memoryMiB] },
      { row, name: 'memory, 1 customer', unit: 'MiB', values: [base.memoryMiB] },
      {
        row,
        name: 'memory of one more customer',
        unit: 'MB',
        values: [memory],
        ...(full && { target: { atMost: 0.06 } }),
      },
      { row, name: 'processor at rest, all', unit: '% of a core', values: [100 * rest.busy] },
      {
        row,
        name: 'processor at rest of one more customer',
        unit: '% of a core',
        values: [busy],
        ...(full && { target: { atMost: 0.005 } }),
      },
      { row, name: 'then one event each: all delivered after', unit: 's', values: [oneEachSeconds] },
      {
        row,
        name: 'killed: all run on another worker after',
        unit: 's',
        values: [takenOverSeconds],
        ...(full && { target: { atMost: SESSION_TIMEOUT_SECONDS + 2 } }),
        note: `that worker's process starts at the kill; the session time-out is ${SESSION_TIMEOUT_SECONDS} s`,
      },
    ] satisfies Measure[];
  });

/** In full runs only: creating the topics takes minutes. */
export const start: Row = ({ scale, say }) =>
  Stand.with(async (stand) => {
    const count = scale.startCustomers;
    for (const some of chunks(names(count), 500)) {
      await stand.subscribe(some.map((customer) => ({ customer, path: '/accept/idle' })));
      say(`subscribed up to ${some.at(-1)}`);
    }
    const { worker, seconds } = await started(stand, count);
    say(`all run after ${seconds.toFixed(1)} s`);
    const rest = await atRest(worker, scale.idleSeconds);
    await worker.kill();
    const full = count >= 10_000 && { target: { atMost: 30 } };
    return [
      { row: 'start', name: `${count.toLocaleString('en')} customers`, unit: 's', values: [seconds], ...full },
      { row: 'start', name: 'memory, all', unit: 'MiB', values: [rest.memoryMiB] },
      { row: 'start', name: 'processor at rest, all', unit: '% of a core', values: [100 * rest.busy] },
    ];
  });

/**
 * From the start of its process until the worker runs so many customers, as its log says: a scrape of a thousand
 * customers would be work for the worker while it starts.
 */
async function started(stand: Stand, count: number): Promise<{ worker: Child; seconds: number }> {
  const startedAtMs = performance.now();
  let sum = 0;
  const onLine = ({ msg, started: some }: LogLine) => {
    if (msg === CUSTOMERS_STARTED) sum += Number(some);
  };
  const worker = stand.service('delivery', { SESSION_TIMEOUT: `${SESSION_TIMEOUT_SECONDS}s` }, { onLine });
  await worker.ready();
  await until(
    `${count} customers run`,
    async () => sum,
    (all) => all >= count,
    LOOK_EVERY_MS,
  );
  return { worker, seconds: (performance.now() - startedAtMs) / 1_000 };
}

async function atRest(worker: Child, seconds: number): Promise<{ busy: number; memoryMiB: number }> {
  await delay(SETTLE_MS);
  const begun = { cpuMs: await cpuMs(worker.pid), atMs: performance.now() };
  await delay(seconds * 1_000);
  const busy = ((await cpuMs(worker.pid)) - begun.cpuMs) / (performance.now() - begun.atMs);
  return { busy, memoryMiB: await rssMiB(worker.pid) };
}

function names(count: number): string[] {
  return Array.from({ length: count }, (_, n) => `c${n}`);
}

function chunks<T>(all: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(all.length / size) }, (_, at) => all.slice(at * size, (at + 1) * size));
}
