/**
 * The customers' APIs as a process, for a demo with services that run elsewhere:
 *
 *     POST /<customer>/events   answers as that customer's API would
 *     GET  /<customer>/books    the ids of the events that it accepted, as JSON
 *     GET  /readyz              200
 */
import { createServer } from 'node:http';
import { readConfig, serviceVariables } from '@databridge/kernel/settings/config';
import { z } from 'zod';
import { UNACCEPTABLE } from '../live/live-run.ts';
import { CAST } from './cast.ts';
import { failsNowAndThen } from './receivers.ts';

const { HTTP_HOST, HTTP_PORT } = readConfig(z.object(serviceVariables), process.env);
const erratic = new Set(CAST.filter(({ temper }) => temper === 'fails now and then').map(({ customer }) => customer));
/** Maps each customer to the number of requests per event id. */
const requests = new Map<string, Map<string, number>>();
const accepted = new Map<string, Set<string>>();

function answer(customer: string, eventId: string, body: string): number {
  if (body.includes(UNACCEPTABLE)) return 400;
  const times = requests.get(customer) ?? new Map<string, number>();
  requests.set(customer, times);
  const nth = (times.get(eventId) ?? 0) + 1;
  times.set(eventId, nth);
  return erratic.has(customer) ? failsNowAndThen(eventId, nth) : 200;
}

const server = createServer({ keepAliveTimeout: 60_000 }, (request, response) => {
  const [, customer = '', what = ''] = (request.url ?? '').split('/');
  if (request.method === 'GET') {
    request.resume();
    if (customer === 'readyz') response.end('ok\n');
    else if (what === 'books') response.end(JSON.stringify([...(accepted.get(customer) ?? [])]));
    else response.writeHead(404).end();
    return;
  }
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    const eventId = String(request.headers['webhook-id'] ?? '');
    const status = answer(customer, eventId, Buffer.concat(chunks).toString('utf8'));
    if (status < 300) accepted.set(customer, (accepted.get(customer) ?? new Set()).add(eventId));
    response.writeHead(status).end();
  });
});
server.listen(HTTP_PORT, HTTP_HOST);

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.on(signal, () => {
    server.close(() => process.exit(0));
    server.closeAllConnections();
  });
}
