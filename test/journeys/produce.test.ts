/** One event that an operator writes by the API or the command line, followed to each customer. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runProgram } from '@databridge/cli/program';
import { Tokens } from '@databridge/kernel/secrets/tokens';
import { rootCauseEvent } from '../harness/events.ts';
import { Receiver } from '../harness/receiver.ts';
import { type ControlPlane, startControlPlane } from '../harness/services/control-plane.ts';
import { Stage } from '../harness/stage.ts';
import { freshName } from '../harness/topics.ts';

const operator = Tokens.generate('ann', 'operator');
const reader = Tokens.generate('bob', 'reader');
const acme = Tokens.generate('acme', 'customer', 'acme');
const directory = mkdtempSync(join(tmpdir(), 'databridge-produce-'));
let stage: Stage;
let plane: ControlPlane;

beforeAll(async () => {
  stage = await Stage.start();
  plane = await startControlPlane([operator, reader, acme], {
    DATABRIDGE_KEYS: stage.keys,
    EVENT_TYPES: `root-cause=${stage.upstream.topic}`,
  });
});
afterAll(() => rmSync(directory, { recursive: true }));

async function produce(event: unknown, ...more: string[]): Promise<{ code: number; out: string; err: string }> {
  const file = join(directory, 'event.json');
  writeFileSync(file, JSON.stringify(event));
  const written: Record<'out' | 'err', string[]> = { out: [], err: [] };
  const spyOn = (stream: NodeJS.WriteStream, into: string[]) =>
    jest.spyOn(stream, 'write').mockImplementation((chunk) => into.push(String(chunk)) > 0);
  const spies = [spyOn(process.stdout, written.out), spyOn(process.stderr, written.err)];
  const env = { DATABRIDGE_URL: plane.url.replace(/\/v1$/, ''), DATABRIDGE_TOKEN: operator.token };
  try {
    const code = await runProgram(['produce', '-f', file, ...more], env);
    return { code, out: written.out.join(''), err: written.err.join('') };
  } finally {
    for (const spy of spies) spy.mockRestore();
  }
}

async function create(customer: string, company: string, url: string, more: object = {}): Promise<void> {
  const body = {
    eventTypes: ['root-cause'],
    match: { company: [company] },
    destination: { type: 'http', url },
    ...more,
  };
  expect(await plane.call('PUT', `/subscriptions/${customer}`, { body })).toMatchObject({ status: 201 });
}

test('it is validated, written, and followed through a retry to its delivery; who is paused gets it later', async () => {
  const company = freshName('company');
  const [one, other, filtered] = [freshName('one'), freshName('paused'), freshName('filtered')];
  const receiver = await Receiver.start((_request, nth) => ({ status: nth === 1 ? 503 : 200 }));
  await create(one, company, receiver.url);
  await create(other, company, receiver.url, { state: 'paused' });
  await create(filtered, company, receiver.url, { filter: 'event.summary.folder == "Nowhere"' });
  await stage.fanOutKnowsAll();

  const { code, out, err } = await produce(rootCauseEvent({ company }), '--event-id', 'trial-1');
  expect({ code, err }).toEqual({ code: 0, err: '' });
  expect(out).toContain(`trial-1 (root-cause) is written to ${stage.upstream.topic}, for ${one}, ${other}.`);
  expect(out).toContain(`${other} is paused: the event waits for it.`);
  expect(out).toMatch(new RegExp(`${one} +retry +503 .*attempt 1 .*\n.*${one} +delivered +200 .*attempt 2 `));
  expect(receiver.requests.map(({ headers }) => headers['webhook-id'])).toEqual(['trial-1', 'trial-1']);
  const { body } = await plane.call('GET', '/audit?limit=1');
  expect(body.items).toEqual([
    expect.objectContaining({ what: 'produce', who: expect.objectContaining({ name: 'ann' }) }),
  ]);
});

test('an event that nobody wants, and one that is refused, are exit code 1', async () => {
  const company = freshName('company');
  const customer = freshName('refusing');
  const receiver = await Receiver.start(() => ({ status: 400 }));
  expect(await produce(rootCauseEvent({ company: 'nobody at all' }))).toMatchObject({
    code: 1,
    out: expect.stringContaining('nobody receives it'),
  });
  await create(customer, company, receiver.url);
  await stage.fanOutKnowsAll();
  const { code, out } = await produce(rootCauseEvent({ company }), '-o', 'json');
  expect(code).toBe(1);
  expect(JSON.parse(out).customers).toEqual([
    { customer, state: 'active', attempts: [expect.objectContaining({ outcome: 'refused', status: 400 })] },
  ]);
});

test('an event that is written again is followed by itself, whatever became of the one of that id before it', async () => {
  const company = freshName('company');
  const customer = freshName('again');
  const receiver = await Receiver.start((_request, nth) => ({ status: nth === 1 ? 400 : 200 }));
  await create(customer, company, receiver.url);
  await stage.fanOutKnowsAll();
  const again = () => produce(rootCauseEvent({ company }), '--event-id', `of-${company}`);
  expect(await again()).toMatchObject({ code: 1, out: expect.stringContaining('refused') });
  const { code, out } = await again();
  expect({ code, out }).toEqual({ code: 0, out: expect.not.stringContaining('refused') });
  expect(receiver.requests).toHaveLength(2);
});

test('an event that does not fit is refused with every mistake at its place; customers and readers may not write any', async () => {
  const { intent: _, ...event } = rootCauseEvent();
  const wrong = { ...event, statusCode: 'x', summary: { ...event.summary, folder: 3 } };
  const { code, err } = await produce(wrong);
  expect(code).toBe(2);
  expect(err).toContain('/event/statusCode: must be int, not "x"');
  expect(err).toContain('/event/summary/folder: must be string, not 3');
  for (const { token } of [reader, acme]) {
    expect(await plane.call('POST', '/events', { body: { event }, token })).toMatchObject({ status: 403 });
  }
});
