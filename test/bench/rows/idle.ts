/** What customers cost that have nothing to do, and that they are there at once when they have. */
import { setTimeout as delay } from 'node:timers/promises';
import { cpuMs, rssMiB } from '@databridge/demo/process-usage';
import { deliveryTopic } from '@databridge/schemas/records/topics';
import { laneHeaders } from '../loader.ts';
import { INTAKE, Stand, until } from '../stand.ts';
import { running } from '../traffic.ts';
import type { Row } from './row.ts';

/** Joins end in rebalances and first fetches: rest comes a little later. */
const SETTLE_MS = 5_000;
const row = 'idle';

export const idle: Row = ({ scale, say }) =>
  Stand.with(async (stand) => {
    const customers = Array.from({ length: scale.idleCustomers }, (_, n) => `c${n}`);
    const count = customers.length;
    await stand.subscribe(customers.map((customer) => ({ customer, path: '/accept/idle' })));
    say(`${count} customers subscribed`);

    const startedAtMs = performance.now();
    const worker = stand.service('delivery');
    await worker.ready();
    await running(worker, count);
    const startSeconds = (performance.now() - startedAtMs) / 1_000;
    say(`all run after ${startSeconds.toFixed(1)} s`);

    await delay(SETTLE_MS);
    const begun = { cpuMs: await cpuMs(worker.pid), atMs: performance.now() };
    await delay(scale.idleSeconds * 1_000);
    const busy = ((await cpuMs(worker.pid)) - begun.cpuMs) / (performance.now() - begun.atMs);
    const memoryMiB = await rssMiB(worker.pid);

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
    await worker.kill();

    // Both targets are for a full worker: with few customers, what the process itself takes weighs more than they do.
    const full = count >= 1_000;
    const a = `${count.toLocaleString('en')} customers`;
    return [
      { row, name: `start-up, ${a}`, unit: 's', values: [startSeconds], target: { atMost: 60 } },
      { row, name: 'memory, all', unit: 'MiB', values: [memoryMiB] },
      {
        row,
        name: 'memory a customer',
        unit: 'MB',
        values: [(memoryMiB * 1.048_576) / count],
        ...(full && { target: { atMost: 0.6 } }),
      },
      { row, name: 'processor at rest, all', unit: '% of a core', values: [100 * busy] },
      {
        row,
        name: 'processor at rest a customer',
        unit: '% of a core',
        values: [(100 * busy) / count],
        ...(full && { target: { atMost: 0.04 } }),
      },
      { row, name: 'then one event each: all delivered after', unit: 's', values: [oneEachSeconds] },
    ];
  });
