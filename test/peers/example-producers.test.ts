/** docs/produce.md: each example writes an event by the registered schema, and the service delivers it as it was written. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
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
import { platform } from '../harness/platform.ts';
import { Receiver } from '../harness/receiver.ts';
import { Stage } from '../harness/stage.ts';
import { freshName } from '../harness/topics.ts';

const kinds: [string, () => Program | Promise<Program>][] = [
  ['Node', () => nodeExample('produce/node/produce.js')],
  ['Python', () => pythonExample('produce/python/produce.py')],
  ['Go', () => goExample('produce/go')],
  ['Java', () => javaExample('produce/java', ['-cp', 'target/classes:target/jars/*', 'Produce'])],
];

let stage: Stage;
let directory: string;

beforeAll(async () => {
  stage = await Stage.start();
  directory = await mkdtemp(join(tmpdir(), 'databridge-produce-'));
}, FETCH_TIMEOUT_MS);

afterAll(() => rm(directory, { recursive: true, force: true }));

test.each(kinds)(
  'an event written in %s is delivered as it was written, under its own id',
  async (_kind, program) => {
    const customer = freshName('customer');
    const receiver = await Receiver.start();
    await stage.subscribe(customer, receiver.url);
    const event = { ...rootCauseEvent({ company: customer, transcript: 'straße “quoted” 😀' }), intent: null };
    const file = join(directory, `${customer}.json`);
    await writeFile(file, JSON.stringify(event));

    const { brokers, registryUrl } = platform();
    const env = {
      KAFKA_BROKERS: brokers.join(','),
      SCHEMA_REGISTRY_URL: registryUrl,
      INTAKE_TOPIC: stage.upstream.topic,
    };
    const example = new RunningExample(await program(), env, [file]);
    await example.line(new RegExp(`^${stage.upstream.topic}/\\d+/\\d+$`));

    await receiver.waitFor(({ accepted }) => accepted === 1);
    expect(receiver.requests.map(({ id }) => id)).toEqual([event.summary.requestid]);
    // A section that is null is left out.
    const { intent, dissatisfaction, callback, ...sections } = event;
    expect([intent, dissatisfaction, callback]).toEqual([null, null, null]);
    expect(JSON.parse(receiver.requests[0]?.body ?? '')).toEqual(sections);
  },
  FETCH_TIMEOUT_MS,
);

test('the example event of the guide has the sections of the schema', async () => {
  const example = JSON.parse(
    await readFile(new URL('../../docs/examples/produce/event.json', import.meta.url), 'utf8'),
  );
  expect(Object.keys(example).sort()).toEqual(Object.keys(rootCauseEvent()).sort());
});
