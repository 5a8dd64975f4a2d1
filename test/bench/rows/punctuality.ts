/** That a retry is made when it is due, and never before. */
import { readTopics } from '@databridge/kernel/kafka/topic-reader';
import { HEADER } from '@databridge/schemas/records/headers';
import { customerTopics, retryTopic } from '@databridge/schemas/records/topics';
import { retryHeaders } from '../loader.ts';
import { quantile } from '../measure.ts';
import { INTAKE, Stand, until } from '../stand.ts';
import { running } from '../traffic.ts';
import type { Row } from './row.ts';

const CUSTOMER = 'late';
const LANE = '10s';
const DELAY_MS = 10_000;
/** All of them are held before the first comes due. */
const LOADED_WITHIN_SECONDS = 8;
const row = 'punctuality';

export const punctuality: Row = ({ scale }) =>
  Stand.with(async (stand) => {
    const count = scale.punctualRetries;
    const topic = retryTopic(CUSTOMER, LANE);
    await stand.subscribe([{ customer: CUSTOMER, path: '/record/late' }]);
    await stand.admin.ensureTopics(customerTopics(CUSTOMER));
    const worker = await stand.service('delivery').ready();
    await running(worker, 1);
    const headers = retryHeaders(stand.eventType.name, INTAKE);
    const perSecond = count / LOADED_WITHIN_SECONDS;
    await stand.load({ topic, count, values: stand.samples(), headers, perSecond });
    const arrived = async () => (await stand.sink.arrivals()).size;
    await until('all retries came', arrived, (size) => size >= count);
    const arrivals = await stand.sink.arrivals();
    await worker.kill();

    const lateMs: number[] = [];
    await readTopics(stand.kafka, [topic], {
      onBatch: ({ records }) => {
        for (const { headers: found, timestampMs } of records) {
          const atMs = arrivals.get(String(found[HEADER.eventId]));
          if (atMs !== undefined) lateMs.push(atMs - timestampMs - DELAY_MS);
        }
      },
    });
    const held = `${count.toLocaleString('en')} held retries, ${Math.round(perSecond).toLocaleString('en')} due a second`;
    return [
      { row, name: `received − due, p50 (${held})`, unit: 'ms', values: [quantile(lateMs, 0.5)] },
      { row, name: 'p99', unit: 'ms', values: [quantile(lateMs, 0.99)], target: { atMost: 250 } },
      {
        row,
        name: 'before they were due',
        unit: 'retries',
        values: [lateMs.filter((ms) => ms < 0).length],
        target: { atMost: 0 },
      },
    ];
  });
