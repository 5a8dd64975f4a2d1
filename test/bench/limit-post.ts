/**
 * What undici can do at the most: posts ready-made bodies over as many connections, and nothing else. A process of its
 * own, as the worker is.
 */
import { loadEventTypes } from '@databridge/schemas/event/event-types';
import { type Dispatcher, Pool } from 'undici';
import { samples } from './samples.ts';

export interface PostOrder {
  readonly url: string;
  readonly count: number;
  readonly connections: number;
  /** As evenly as that, instead of as fast as it goes. */
  readonly perSecond?: number;
}

/** The interval in ms at which requests that are due are sent. */
const PACE_MS = 5;

function post({ url, count, connections, perSecond }: PostOrder): void {
  const { origin, pathname: path } = new URL(url);
  const [eventType] = loadEventTypes('root-cause=root-cause.events');
  if (eventType === undefined) throw new Error('the event type has a schema');
  const reader = eventType.readerFor(eventType.schemaJson);
  const bodies = samples(eventType, 1).map((frame) => reader.json(frame));
  const pool = new Pool(origin, { connections });
  const startedAtMs = performance.now();
  let sent = 0;
  let inFlight = 0;
  const isDue = () => {
    const elapsedSeconds = (performance.now() - startedAtMs) / 1_000;
    return sent < count && (perSecond === undefined || sent < elapsedSeconds * perSecond);
  };
  const next = (): void => {
    if (!isDue()) return;
    inFlight++;
    const n = sent++;
    const headers = { 'content-type': 'application/json', 'webhook-id': `evt_${n}` };
    const body = bodies[n % bodies.length] as Buffer;
    pool.dispatch({ path, method: 'POST', headers, body }, handler);
  };
  const handler: Dispatcher.DispatchHandler = {
    onRequestStart: () => undefined,
    onResponseStart: () => undefined,
    onResponseData: () => undefined,
    onResponseEnd: () => {
      inFlight--;
      next();
    },
    onResponseError: (_controller, error) => {
      throw error;
    },
  };
  for (let at = 0; at < connections; at++) next();
  if (perSecond === undefined) return;
  setInterval(() => {
    while (inFlight < connections && isDue()) next();
  }, PACE_MS);
}

process.on('message', (order: PostOrder) => post(order));
// Nothing else keeps it alive until the order comes.
process.channel?.ref();
process.send?.({ kind: 'ready' });
// In good order, so that a profile is written.
process.on('SIGTERM', () => process.exit());
