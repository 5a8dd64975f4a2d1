/** Whether a customer whose endpoint hangs, and which wants 10,000 requests in flight, slows the others of its worker. */
import { deliveryTopic } from '@databridge/schemas/records/topics';
import { laneHeaders } from '../loader.ts';
import { type Measure, quantile, ratios } from '../measure.ts';
import { INTAKE, Stand, until } from '../stand.ts';
import { running, timeTraffic } from '../traffic.ts';
import type { Row } from './row.ts';

const HANGING = 'hanging';
const WANTED_IN_FLIGHT = 10_000;
/** A little less than the time-out, the longest that a subscription may have: so the breaker never opens. */
const PATH = `/wait-19000/${HANGING}`;
const TIMEOUT_MS = 20_000;
/** It begins with so many, and has more with each round trip (services/delivery/src/gate/concurrency.ts). */
const FIRST_IN_FLIGHT = 32;
const row = 'isolation, hanging';

export const isolation: Row = ({ scale, say }) =>
  Stand.with(async (stand) => {
    const healthy = Array.from({ length: scale.latencyCustomers - 1 }, (_, n) => `c${n}`);
    const hanging = {
      customer: HANGING,
      path: PATH,
      maxInFlight: WANTED_IN_FLIGHT,
      ceilings: { maxInFlight: WANTED_IN_FLIGHT },
    };
    const subscribe = (state: 'active' | 'paused') =>
      stand.subscribe([{ ...hanging, destination: { timeoutMs: TIMEOUT_MS }, state }]);
    await stand.subscribe(healthy.map((customer) => ({ customer, path: `/record/${customer}` })));
    await subscribe('paused');
    await stand.load({
      topic: deliveryTopic(HANGING),
      count: scale.hangingEvents,
      values: stand.samples(),
      headers: laneHeaders(stand.eventType.name, INTAKE),
    });
    const [fanOut, worker] = await Promise.all([stand.service('fan-out').ready(), stand.service('delivery').ready()]);
    await running(worker, healthy.length);
    const traffic = { customers: healthy, eventsPerSecond: scale.latencyEventsPerSecond, timed: new Set(healthy) };
    const p99 = async (phase: string) => {
      const latencies = await timeTraffic(stand, { ...traffic, phase, seconds: scale.latencySeconds });
      say(`${phase}: ${latencies.length} events, p99 ${quantile(latencies, 0.99)} ms`);
      return quantile(latencies, 0.99);
    };

    await p99('warm-up');
    const alone: number[] = [];
    const beside: number[] = [];
    const hung: number[] = [];
    for (let round = 1; round <= scale.rounds; round++) {
      alone.push(await p99(`alone-${round}`));
      await stand.sink.reset();
      await subscribe('active');
      hung.push(
        await until(
          `${FIRST_IN_FLIGHT} requests hang`,
          async () => (await stand.sink.count(PATH)).requests,
          (n) => n >= FIRST_IN_FLIGHT,
        ),
      );
      beside.push(await p99(`beside-${round}`));
      await subscribe('paused');
      await running(worker, healthy.length);
    }
    await Promise.all([fanOut.kill(), worker.kill()]);

    const note = `one of ${healthy.length + 1} customers wants ${WANTED_IN_FLIGHT.toLocaleString('en')} requests in flight, each of which hangs for 19 s; ${Math.min(...hung).toLocaleString('en')} and more hung`;
    return [
      { row, name: "others' p99, alone", unit: 'ms', values: alone },
      { row, name: "others' p99, beside it", unit: 'ms', values: beside, note },
      { row, name: 'beside it ÷ alone', unit: '×', values: ratios(beside, alone), target: { atMost: 1.3 } },
    ] satisfies Measure[];
  });
