/** The commands of docs/operations.md, docs/cli.md and all runbooks, each typed once as it stands, against one real platform. */
import { globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { runProgram } from '@databridge/cli/program';
import { Tokens } from '@databridge/kernel/secrets/tokens';
import { freePorts } from '@databridge/local-platform/free-port';
import { deliveryTopic } from '@databridge/schemas/records/topics';
import { commandsOf, redirectsOf, wordsOf } from '../harness/documented-commands.ts';
import { eventually } from '../harness/eventually.ts';
import { makeCertificates, signRequest } from '../harness/peers/certificates.ts';
import { platform } from '../harness/platform.ts';
import { buildSetUpPage } from '../harness/portal/built.ts';
import { Receiver } from '../harness/receiver.ts';
import { type ControlPlane, startControlPlane } from '../harness/services/control-plane.ts';
import { Stage } from '../harness/stage.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const directory = mkdtempSync(join(tmpdir(), 'databridge-commands-'));
const operator = Tokens.generate('ann', 'operator');
const SECRET = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;
/** The id of a quarantined record, as the documents have it. */
const PLACE = 'root-cause.events/0/17';
/** The request id of a call whose events are erased, as the documents have it: none of its events is sent after that. */
const ERASED = '1f0f6c0e-3c7d-4f0e-9c35-0d9b2b1b7c11';
const example = JSON.parse(readFileSync(join(root, 'docs/examples/produce/event.json'), 'utf8'));
let stage: Stage;
let plane: ControlPlane;
let receiver: Receiver;
let port: string;
let isRefusing = false;

/** What stands for something else in the documents: all of it. The other names are as they stand. */
const placeholders: readonly (readonly [written: string, meant: () => string | Promise<string>])[] = [
  ['https://databridge.example', () => plane.url.replace(/\/v1$/, '')],
  ['whsec_…', () => SECRET],
  ['--port 9000', () => `--port ${port}`],
  ['op_1', lastOperation],
  ['inv_1', async () => (await itemsAt('/invitations')).at(-1)?.id ?? 'none'],
  ['ses_1', async () => (await itemsAt('/sessions')).at(-1)?.id ?? 'none'],
  ['--to-offset 1200', () => '--to-offset 0'],
  [`explain ${PLACE}`, async () => `explain ${await sourceOfEvent()}`],
];

/** They go on until Ctrl-C: typed, seen to begin, and ended. */
const ENDLESS = /^databridge (tail|listen|status --watch)/;
/** They read a secret from standard input, or ask for it at a terminal. */
const INPUTS: readonly (readonly [command: RegExp, input: () => string])[] = [
  [/^databridge login/, () => operator.token],
  [/^databridge secrets set/, () => 'k-2'],
];
/** They ask first: where there is no terminal, they refuse and name --yes, with which they are typed again. */
const ASKING =
  /^databridge (erase|(subscriptions )?apply|subscriptions delete|decline|dead-letters discard|quarantine discard)/;
/** They find differences, or faults: exit code 1 is an answer. */
const ANSWERING = /^databridge (subscriptions (diff|try-filter)|doctor|health|topics create|explain)/;

beforeAll(async () => {
  port = String(await freePorts(1));
  stage = await Stage.start();
  buildSetUpPage();
  plane = await startControlPlane([operator], {
    DATABRIDGE_KEYS: stage.keys,
    EVENT_TYPES: `root-cause=${stage.upstream.topic}`,
    INTAKE_PORT: '0',
  });
  receiver = await Receiver.start(() => (isRefusing ? { status: 400 } : {}));
  process.chdir(directory);
  mkdirSync(join(directory, 'subscriptions'));
  mkdirSync(join(directory, '.local/share/bash-completion/completions'), { recursive: true });
  for (const customer of ['acme', 'globex']) write(`subscriptions/${customer}.yaml`, subscriptionOf(customer));
  mkdirSync(join(directory, 'keys'));
  for (const file of ['delivery.keys', 'keys/delivery.keys']) write(file, stage.openingKeys);
  const clientCredentials = `authentication: { type: oauth, tokenUrl: '${receiver.url}', clientId: us, clientSecret: s-1 }`;
  write('oauth.yaml', subscriptionOf('acme').replace(/authentication: .*/, clientCredentials));
  write('token', operator.token);
  write('key', 'k-2');
  write('event.json', JSON.stringify(example));
  write('erased.json', JSON.stringify({ ...example, summary: { ...example.summary, requestid: ERASED } }));
});
afterAll(() => {
  process.chdir(root);
  rmSync(directory, { recursive: true });
});

const write = (name: string, content: string) => writeFileSync(join(directory, name), content);

const subscriptionOf = (customer: string) => `subscriptions:
  - customer: ${customer}
    eventTypes: [root-cause]
    match: { company: [ACME Corporation] }
    filter: event.summary.folder == "Support"
    destination: { type: http, url: '${receiver.url}' }
    authentication: { type: api-key, name: x-key, key: k-1 }
`;

interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/**
 * As a shell runs it, but in this process: a new one for each command would cost most of the time.
 * @param onShown called with each piece that is printed
 */
async function run(command: string, onShown: () => void = () => undefined): Promise<Ran> {
  const { KAFKA_BROKERS: _, DATABRIDGE_TOKEN: __, ...inherited } = process.env;
  const env = {
    ...{ ...inherited, HOME: directory, XDG_CONFIG_HOME: directory, KAFKA_BROKERS: platform().brokers.join() },
    ...{ DATABRIDGE_URL: plane.url.replace(/\/v1$/, ''), DATABRIDGE_TOKEN: operator.token },
    EVENT_TYPES: `root-cause=${stage.upstream.topic}`,
  };
  const { from, into } = redirectsOf(command);
  const typed = INPUTS.find(([asking]) => asking.test(command))?.[1]() ?? '';
  const written: Record<'out' | 'err', string[]> = { out: [], err: [] };
  const listen = (stream: NodeJS.WriteStream, pieces: string[]) =>
    jest.spyOn(stream, 'write').mockImplementation((piece) => {
      pieces.push(String(piece));
      onShown();
      return true;
    });
  const input = Readable.from([from === undefined ? typed : readFileSync(from, 'utf8')]);
  const spies = [
    listen(process.stdout, written.out),
    listen(process.stderr, written.err),
    jest.spyOn(process, 'stdin', 'get').mockReturnValue(input as unknown as typeof process.stdin),
  ];
  try {
    const code = await runProgram(wordsOf(command).slice(1), env);
    const [out, err] = [written.out.join(''), written.err.join('')];
    if (into !== undefined) writeFileSync(into.replace(/^~/, directory), out);
    return { code, out, err };
  } finally {
    for (const spy of spies) spy.mockRestore();
  }
}

async function itemsAt(path: string) {
  const { status, body } = await plane.call('GET', path);
  return status === 200 ? body.items : [];
}

async function lastOperation(): Promise<string> {
  const [last] = await itemsAt('/operations');
  return last?.id ?? 'none';
}

async function sourceOfEvent(): Promise<string> {
  const [attempt] = await itemsAt('/subscriptions/acme/attempts?eventId=evt_1');
  return attempt?.source ?? 'none';
}

/** What a reader of the command would have in front of them. */
async function prepare(command: string): Promise<void> {
  const customers = (await itemsAt('/subscriptions')).map(({ customer }: { customer: string }) => customer);
  if (!customers.includes('acme') || !customers.includes('globex')) {
    await runWell('databridge apply -f subscriptions/ --yes');
    await stage.fanOutKnowsAll();
    await runWell('databridge produce -f event.json --event-id evt_1');
  }
  if (command.includes('authentication.clientSecret')) await runWell('databridge apply -f oauth.yaml --yes');
  if (command.startsWith(`databridge erase --request-id ${ERASED} --from`))
    await runWell('databridge produce -f erased.json');
  if (/dead-letters (get|discard|redrive) acme evt_1/.test(command)) await refuseEvent();
  if (command.includes(`quarantine`) && command.includes(PLACE)) await quarantine();
  if (command.includes('--setup')) await runWell('databridge subscriptions delete acme --waiting discard --yes');
  if (command.includes('inv_1')) await runWell('databridge invite acme --secret authentication.key');
  if (/^databridge (approve|decline) acme$/.test(command)) await awaitApproval('acme');
  if (command.includes('ses_1')) await plane.call('POST', '/sessions', { body: {} });
  if (/^databridge certificates (get|set)/.test(command)) await signRequested('acme', 'acme.crt');
}

/** As an authority of its destination signs the request that a worker made. */
async function signRequested(customer: string, file: string): Promise<void> {
  const { body } = await plane.call('POST', `/subscriptions/${customer}/certificate-request`, { body: {} });
  write(file, signRequest(await makeCertificates(), body.csr));
}

/** As a customer leaves it that answers an invitation to set itself up. */
async function awaitApproval(customer: string): Promise<void> {
  const before = (await stage.operations.subscriptions()).get(customer);
  if (before === undefined) throw new Error(`${customer} is not stored`);
  await stage.operations.commit([
    { what: 'replace', customer, before, after: { ...before, state: 'paused', awaitsApproval: true } },
  ]);
}

/** Of the events that acme refuses, one whose id is evt_1. */
async function refuseEvent(): Promise<void> {
  await runWell('databridge resume acme');
  await eventually(
    () => stage.lag('acme', deliveryTopic('acme')),
    (lag) => lag === 0,
  );
  await runWell('databridge dead-letters discard acme --all --yes');
  isRefusing = true;
  await run('databridge produce -f event.json --event-id evt_1');
  await eventually(
    () => itemsAt('/subscriptions/acme/dead-letters'),
    (letters) => letters.length > 0,
  );
  isRefusing = false;
}

async function quarantine(): Promise<void> {
  await stage.operations.producer.send([
    {
      ...{ topic: 'fan-out.quarantine', key: PLACE, value: 'no frame' },
      headers: {
        ...{ 'event-id': 'evt_x', 'event-type': 'root-cause', source: PLACE },
        ...{ 'quarantine-reason': 'malformed-frame', 'quarantine-detail': 'no magic byte' },
      },
    },
  ]);
}

async function meant(command: string): Promise<string> {
  let typed = command;
  for (const [written, what] of placeholders) {
    if (typed.includes(written)) typed = typed.replaceAll(written, await what());
  }
  return typed;
}

/** Until it shows something, and then Ctrl-C. */
async function typeUntilShown(command: string): Promise<void> {
  let isShown = false;
  const { code, out, err } = await run(command, () => {
    if (!isShown) setImmediate(() => process.emit('SIGINT', 'SIGINT'));
    isShown = true;
  });
  if (code !== 0) throw new Error(`exit code ${code}: ${err}${out}`);
}

async function type(command: string): Promise<void> {
  await prepare(command);
  const typed = await meant(command);
  if (ENDLESS.test(command)) return await typeUntilShown(typed);
  const first = await run(typed);
  // Nothing to change: nothing to ask.
  if (first.code === 0 || (first.code === 1 && ANSWERING.test(command))) return;
  const hasRefused = ASKING.test(command) && first.code === 2 && first.err.includes('--yes');
  if (!hasRefused) throw new Error(`exit code ${first.code}: ${first.err}${first.out}`);
  await runWell(`${typed} --yes`);
}

async function runWell(command: string): Promise<void> {
  const { code, out, err } = await run(command);
  if (code !== 0) throw new Error(`${command}: exit code ${code}: ${err}${out}`);
}

test('each command of the guides and runbooks does what the guide says, unchanged', async () => {
  const pages = ['docs/operations.md', 'docs/cli.md'].flatMap(commandsOf);
  const runbooks = globSync('docs/operations/runbooks/*.md', { cwd: root }).flatMap(commandsOf);
  expect(runbooks.length).toBeGreaterThan(100);
  const typed = new Set([...pages.filter(({ isTyped }) => isTyped), ...runbooks].map(({ text }) => text));
  const failures: string[] = [];
  for (const command of typed) {
    await type(command).catch((error: Error) => failures.push(`${command}: ${error.message}`));
  }
  expect(failures).toEqual([]);
}, 300_000);
