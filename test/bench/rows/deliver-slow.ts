/** How well a worker keeps all its connections busy when the endpoint takes its time. */
import { deliveryTopic } from '@databridge/schemas/records/topics';
import { laneHeaders } from '../loader.ts';
import { INTAKE, Stand } from '../stand.ts';
import type { Row } from './row.ts';

const CUSTOMER = 'slow';
const CONNECTIONS = 64;
const ANSWER_AFTER_MS = 100;
const PATH = `/wait-${ANSWER_AFTER_MS}/ours`;
const row = 'deliver-slow';

export const deliverSlow: Row = ({ scale }) =>
  Stand.with(async (stand) => {
    await stand.subscribe([{ customer: CUSTOMER, path: PATH, maxInFlight: CONNECTIONS }]);
    const headers = laneHeaders(stand.eventType.name, INTAKE);
    await stand.load({
      topic: deliveryTopic(CUSTOMER),
      count: scale.slowEvents,
      values: stand.samples(),
      headers,
    });
    const rates: number[] = [];
    for (let round = 0; round < scale.rounds; round++) {
      if (round > 0) await stand.rewind(CUSTOMER);
      await stand.sink.reset();
      const worker = stand.service('delivery');
      const { perSecond } = await stand.sink.flow(PATH, worker.pid, { requests: scale.slowEvents }, CONNECTIONS);
      await worker.stop();
      rates.push(perSecond);
    }
    const possible = CONNECTIONS / (ANSWER_AFTER_MS / 1_000);
    return [
      { row, name: `64 in flight, answered after ${ANSWER_AFTER_MS} ms`, unit: 'deliveries/s', values: rates },
      {
        row,
        name: `÷ what is possible (${possible}/s)`,
        unit: '×',
        values: rates.map((rate) => rate / possible),
        target: { atLeast: 0.95 },
      },
    ];
  });
