/** The commands of docs/operations.md and docs/cli.md, typed as they stand, at a terminal of somebody's own. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { Tokens } from '@databridge/kernel/secrets/tokens';
import { freePorts } from '@databridge/local-platform/free-port';
import { commandsOf } from '../harness/documented-commands.ts';
import { eventually } from '../harness/eventually.ts';
import { platform } from '../harness/platform.ts';
import { Receiver } from '../harness/receiver.ts';
import { type ControlPlane, startControlPlane } from '../harness/services/control-plane.ts';
import { Stage } from '../harness/stage.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const directory = mkdtempSync(join(tmpdir(), 'databridge-commands-'));
const operator = Tokens.generate('ann', 'operator');
const SECRET = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;
/** The id of a quarantined record, as the documents have it. */
const PLACE = 'root-cause.events/0/17';
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
  ['--to-offset 1200', () => '--to-offset 0'],
  [`explain ${PLACE}`, async () => `explain ${await sourceOfEvent()}`],
];

/** They go on until Ctrl-C: typed, seen to begin, and ended. */
const ENDLESS = /^databridge (tail|listen|status --watch)/;
/** They ask first: where there is no terminal, they refuse and name --yes, with which they are typed again. */
const ASKING = /^databridge ((subscriptions )?apply|subscriptions delete|dead-letters discard|quarantine discard)/;
/** They find differences, or faults: exit code 1 is an answer. */
const ANSWERING = /^databridge (subscriptions (diff|try-filter)|doctor|topics create|explain)/;

beforeAll(async () => {
  port = String(await freePorts(1));
  stage = await Stage.start();
  plane = await startControlPlane([operator], {
    DATABRIDGE_KEYS: stage.keys,
    EVENT_TYPES: `root-cause=${stage.upstream.topic}`,
  });
  receiver = await Receiver.start(() => (isRefusing ? { status: 400 } : {}));
  mkdirSync(join(directory, 'subscriptions'));
  mkdirSync(join(directory, '.local/share/bash-completion/completions'), { recursive: true });
  for (const customer of ['acme', 'globex']) write(`subscriptions/${customer}.yaml`, subscriptionOf(customer));
  mkdirSync(join(directory, 'keys'));
  for (const file of ['delivery.keys', 'keys/delivery.keys']) write(file, stage.openingKeys);
  write('token', operator.token);
  write('key', 'k-2');
  write('event.json', readFileSync(join(root, 'docs/examples/produce/event.json'), 'utf8'));
});
afterAll(() => rmSync(directory, { recursive: true }));

const write = (name: string, content: string) => writeFileSync(join(directory, name), content);

const subscriptionOf = (customer: string) => `subscriptions:
  - customer: ${customer}
    eventTypes: [root-cause]
    match: { company: [ACME Corporation] }
    filter: event.summary.folder == "Support"
    destination: { type: http, url: '${receiver.url}' }
    authentication: { type: api-key, name: x-key, key: k-1 }
`;

function start(command: string) {
  const { KAFKA_BROKERS: _, DATABRIDGE_TOKEN: __, ...inherited } = process.env;
  const env = {
    ...inherited,
    PATH: `${join(root, 'node_modules/.bin')}:${process.env['PATH']}`,
    HOME: directory,
    XDG_CONFIG_HOME: directory,
    DATABRIDGE_URL: plane.url.replace(/\/v1$/, ''),
    DATABRIDGE_TOKEN: operator.token,
    KAFKA_BROKERS: platform().brokers.join(),
    EVENT_TYPES: `root-cause=${stage.upstream.topic}`,
  };
  return spawn('bash', ['--norc', '-c', command], { cwd: directory, env, detached: true });
}

async function run(command: string, input = ''): Promise<{ code: number; out: string; err: string }> {
  const child = start(command);
  child.stdin.on('error', () => undefined);
  child.stdin.end(input);
  const [out, err, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
  return { code: Number(code), out, err };
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
  if (/dead-letters (get|discard|redrive) acme evt_1/.test(command)) await refuseEvent();
  if (command.includes(`quarantine`) && command.includes(PLACE)) await quarantine();
}

/** An event that acme refuses, whose id is evt_1. */
async function refuseEvent(): Promise<void> {
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

/** Typed, until it shows something, and then ended by Ctrl-C. */
async function typeUntilShown(command: string): Promise<void> {
  // Into a program that reads all: the pipe of the documents may be one that is not installed.
  const [own = ''] = command.split(' | ');
  const child = start(`exec 2>&1; ${own}`);
  const [line] = await once(createInterface(child.stdout), 'line');
  expect(line).not.toMatch(/error|unknown/i);
  process.kill(-(child.pid as number), 'SIGINT');
  await once(child, 'close');
}

async function type(command: string): Promise<void> {
  await prepare(command);
  const typed = await meant(command);
  if (ENDLESS.test(command)) return await typeUntilShown(typed);
  const first = await run(typed, command.includes('secrets set') ? 'k-2' : '');
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

/** By `DATABRIDGE_COMMANDS=1` alone, until it has passed on a quiet machine: two processes a command take minutes on a busy one. */
const whenAsked = process.env['DATABRIDGE_COMMANDS'] === '1' ? test : test.skip;

whenAsked.each(['docs/operations.md', 'docs/cli.md'])(
  '%s',
  async (page) => {
    const typed = commandsOf(page).filter(({ isTyped }) => isTyped);
    const failures: string[] = [];
    for (const { text: command } of typed) {
      await type(command).catch((error: Error) => failures.push(`${command}: ${error.message}`));
    }
    expect(failures).toEqual([]);
  },
  300_000,
);
