import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runProgram } from '../../program.ts';

const directory = mkdtempSync(join(tmpdir(), 'produce-'));
const event = join(directory, 'event.json');
writeFileSync(event, '{}');

const attempt = (offset: number, outcome: string) => ({
  ...{ eventId: 'again', attempt: 1, lane: 'main', at: 0, durationMs: 1, outcome },
  source: `root-cause.events/0/${offset}`,
});

/** An event of the same id had been written before, and was not tried until this one was. */
const ANSWERS: Readonly<Record<string, unknown>> = {
  'POST /v1/events': {
    ...{ eventId: 'again', eventType: 'root-cause', topic: 'root-cause.events', source: 'root-cause.events/0/7' },
    customers: [{ customer: 'acme', state: 'active' }],
  },
  'GET /v1/events/again': { items: [] },
  'GET /v1/subscriptions/acme/attempts': { items: [attempt(6, 'delivered'), attempt(7, 'refused')] },
};

const server = createServer(({ method, url = '' }, response) => {
  const answer = ANSWERS[`${method} ${url.split('?')[0]}`];
  response.writeHead(answer === undefined ? 404 : 200, { 'content-type': 'application/json' });
  response.end(JSON.stringify(answer ?? {}));
});
beforeAll(async () => void (await once(server.listen(0, '127.0.0.1'), 'listening')));
afterAll(() => {
  server.close();
  rmSync(directory, { recursive: true });
});

test('the event that was written is followed, not an earlier one of the same id', async () => {
  const written: string[] = [];
  const spy = jest.spyOn(process.stdout, 'write').mockImplementation((text) => written.push(String(text)) > 0);
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  try {
    const args = ['produce', '-f', event, '--event-id', 'again'];
    expect(await runProgram(args, { DATABRIDGE_URL: url, DATABRIDGE_TOKEN: 'token' })).toBe(1);
  } finally {
    spy.mockRestore();
  }
  expect(written.join('')).toContain('refused');
  expect(written.join('')).not.toContain('delivered');
});
