/** That memory is bounded, whatever waits: a backlog that drains, and retries that are not due. */
import { sumOf } from '@databridge/demo/live/observe';
import { peakRssMiB } from '@databridge/demo/process-usage';
import { customerTopics, deliveryTopic, retryTopic } from '@databridge/schemas/records/topics';
import { laneHeaders, retryHeaders } from '../loader.ts';
import { INTAKE, Stand, until } from '../stand.ts';
import type { Row } from './row.ts';

const TARGET = { atMost: 300 };
/** What was held was the same that often in a row: the lanes have paused. */
const QUIET_LOOKS = 20;
const row = 'backlog';

export const backlog: Row = ({ scale, say }) =>
  Stand.with(async (stand) => {
    const headers = laneHeaders(stand.eventType.name, INTAKE);
    const count = scale.backlogEvents;
    await stand.subscribe([{ customer: 'behind', path: '/accept/behind' }]);
    await stand.load({ topic: deliveryTopic('behind'), count, values: stand.samples(), headers });
    say('loaded');
    const worker = stand.service('delivery');
    const drained = { requests: count, seconds: scale.backlogSeconds };
    const flow = await stand.sink.flow('/accept/behind', worker.pid, drained);
    await worker.kill();
    const waiting = count.toLocaleString('en');
    return [
      {
        row,
        name: `peak memory, ${waiting} waiting for one customer`,
        unit: 'MiB',
        values: [flow.peakRssMiB],
        target: TARGET,
        note: `until ${flow.requests.toLocaleString('en')} of them were delivered`,
      },
      { row, name: 'meanwhile', unit: 'deliveries/s', values: [flow.perSecond] },
    ];
  });

/** Half of them in each of the two longest lanes, so that none comes due while it is looked at. */
const LANES = ['5m', '7m45s'];

export const heldRetries: Row = ({ scale }) =>
  Stand.with(async (stand) => {
    const count = scale.heldRetries;
    await stand.subscribe([{ customer: 'down', path: '/accept/down' }]);
    await stand.admin.ensureTopics(customerTopics('down'));
    await stand.load({
      topic: (n) => retryTopic('down', LANES[n % LANES.length] as string),
      count,
      values: stand.samples(),
      headers: retryHeaders(stand.eventType.name, INTAKE),
    });
    const worker = await stand.service('delivery').ready();
    let quiet = 0;
    let last = 0;
    const held = async () => {
      const bytes = sumOf(await worker.metrics(), 'databridge_delivery_held_bytes');
      quiet = bytes === last ? quiet + 1 : 0;
      last = bytes;
      return bytes;
    };
    const bytes = await until('the lanes are full', held, (now) => now > 0 && quiet >= QUIET_LOOKS);
    const peak = await peakRssMiB(worker.pid);
    const { requests } = await stand.sink.count('/accept/down');
    await worker.kill();
    if (requests > 0) throw new Error(`${requests} retries were sent before they were due`);
    return [
      {
        row: 'held retries',
        name: `peak memory, ${count.toLocaleString('en')} retries not due`,
        unit: 'MiB',
        values: [peak],
        target: TARGET,
        note: `lanes pause: ${Math.round(bytes / 2 ** 20)} MiB of them are in memory`,
      },
    ];
  });
