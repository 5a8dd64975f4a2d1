// PORT=8080 WEBHOOK_SECRET=whsec_… node receive.ts
import express from 'express';
import { Webhook } from 'standardwebhooks';

const webhook = new Webhook(process.env.WEBHOOK_SECRET ?? '');
// In production: a table with a unique key on the id, written in the transaction that handles the event.
const handled = new Set<string>();

const app = express();
// The signature covers the bytes as they came, so the body must not be parsed before it is verified.
app.post('/events', express.raw({ type: 'application/json', limit: '2mb' }), (request, response) => {
  const id = request.get('webhook-id') ?? '';
  let event: { summary?: { company?: string } };
  try {
    event = webhook.verify(request.body, request.headers as Record<string, string>) as typeof event;
  } catch {
    response.status(400).send('The signature is not valid.');
    return;
  }
  // The same id comes again after a time-out or a replay: it is acknowledged, and not handled twice.
  if (handled.has(id)) {
    console.log(`duplicate ${id}`);
    response.status(204).end();
    return;
  }
  handled.add(id);
  console.log(`handled ${id} ${event.summary?.company ?? ''}`);
  // Answer as soon as the event is stored; do slow work afterwards.
  response.status(204).end();
});

const server = app.listen(Number(process.env.PORT ?? 8080), '127.0.0.1', () => {
  const address = server.address();
  if (address && typeof address === 'object') console.log(`listening ${address.port}`);
});
