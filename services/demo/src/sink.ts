/**
 * A process of its own that answers every request at once, for the throughput section: in the demo's process it would
 * compete with the display. Tells its port, then how it goes.
 */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface SinkReport {
  readonly kind: 'report';
  /** Different events that came. */
  readonly events: number;
  readonly requests: number;
  /** By the sink's monotonic clock: when the first and the latest request came. */
  readonly firstAtMs: number;
  readonly latestAtMs: number;
}

const REPORT_EVERY_MS = 100;
const ids = new Set<string>();
let requests = 0;
let firstAtMs = 0;
let latestAtMs = 0;

const server = createServer({ keepAliveTimeout: 60_000 }, (request, response) => {
  latestAtMs = performance.now();
  firstAtMs ||= latestAtMs;
  requests += 1;
  ids.add(String(request.headers['webhook-id']));
  request.resume();
  request.on('end', () => response.writeHead(204).end());
});
server.listen(0, '127.0.0.1');
await once(server, 'listening');
process.send?.({ kind: 'port', port: (server.address() as AddressInfo).port });
setInterval(() => {
  process.send?.({ kind: 'report', events: ids.size, requests, firstAtMs, latestAtMs } satisfies SinkReport);
}, REPORT_EVERY_MS);
