/** docs/receive.md: each example verifies, handles an event once, acknowledges duplicates and refuses what we did not sign. */
import { randomUUID } from 'node:crypto';
import { freePorts } from '@databridge/local-platform/free-port';
import { Webhook } from 'standardwebhooks';
import { rootCauseEvent } from '../harness/events.ts';
import {
  goExample,
  javaExample,
  nodeExample,
  type Program,
  pythonExample,
  RunningExample,
} from '../harness/peers/example.ts';

import { FETCH_TIMEOUT_MS } from '../harness/peers/peers-cache.ts';
import { Stage } from '../harness/stage.ts';
import { freshName } from '../harness/topics.ts';

const kinds: [string, () => Program | Promise<Program>][] = [
  ['Express', () => nodeExample('receive/express/receive.ts')],
  ['FastAPI', () => pythonExample('receive/fastapi/receive.py')],
  ['Go', () => goExample('receive/go')],
  ['Spring', () => javaExample('receive/spring', ['-jar', 'target/receive-root-cause-1.0.0.jar'])],
];
const [secret, olderSecret, foreignSecret] = [1, 2, 3].map(
  (byte) => `whsec_${Buffer.alloc(32, byte).toString('base64')}`,
);

let stage: Stage;

beforeAll(async () => {
  stage = await Stage.start();
}, FETCH_TIMEOUT_MS);

test.each(kinds)(
  'the receiver with %s',
  async (_kind, program) => {
    const customer = freshName('customer');
    const [port = ''] = (await freePorts(1)).map(String);
    const env = { PORT: port, SERVER_PORT: port, WEBHOOK_SECRET: secret as string };
    const example = new RunningExample(await program(), env);
    await example.line(/^listening/);
    const url = `http://127.0.0.1:${port}/events`;

    // The older secret stands first, as during a rotation: any of the signatures may be the one that fits.
    await stage.subscribe(customer, url, { signing: { secrets: [olderSecret, secret] } });
    const event = rootCauseEvent({ company: customer, transcript: 'straße “quoted” 😀' });
    const id = randomUUID();
    await stage.upstream.produce([event], { 'event-id': id });
    await example.line(new RegExp(`^handled ${id} ${customer}$`));
    // Written twice by its producer.
    await stage.upstream.produce([event], { 'event-id': id });
    await example.line(new RegExp(`^duplicate ${id}$`));

    const body = JSON.stringify(event);
    const post = async (key: string, at: Date, forgedId: string) => {
      const webhook = new Webhook(key);
      const headers = {
        'content-type': 'application/json',
        'webhook-id': forgedId,
        'webhook-timestamp': String(Math.floor(at.getTime() / 1_000)),
        'webhook-signature': webhook.sign(forgedId, at, body),
      };
      return (await fetch(url, { method: 'POST', headers, body })).status;
    };
    const now = new Date();
    expect(await post(secret as string, now, 'control')).toBe(204);
    expect(await post(foreignSecret as string, now, 'forged')).toBe(400);
    expect(await post(secret as string, new Date(now.getTime() - 3_600_000), 'stale')).toBe(400);
    expect(example.lines.filter((line) => /forged|stale/.test(line))).toEqual([]);
  },
  FETCH_TIMEOUT_MS,
);
