/** `databridge` as an operator types it, against a real control plane: every command, its exit code, and no secret anywhere. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { runProgram } from '@databridge/cli/program';
import { Tokens } from '@databridge/kernel/secrets/tokens';
import { deliveryTopic } from '@databridge/schemas/records/topics';
import { rootCauseEvent } from '../harness/events.ts';
import { eventually } from '../harness/eventually.ts';
import { Receiver } from '../harness/receiver.ts';
import { type ControlPlane, startControlPlane } from '../harness/services/control-plane.ts';
import { Stage } from '../harness/stage.ts';
import { freshName } from '../harness/topics.ts';

const CANARY = 'canary-51c0de';
const [operator, reader] = [Tokens.generate('ann', 'operator'), Tokens.generate('bob', 'reader')];
const commandLine = new URL('../../services/cli/src/main.ts', import.meta.url).pathname;
const directory = mkdtempSync(join(tmpdir(), 'databridge-cli-'));
let stage: Stage;
let plane: ControlPlane;
let env: Record<string, string>;

beforeAll(async () => {
  stage = await Stage.start();
  plane = await startControlPlane([operator, reader], { DATABRIDGE_KEYS: stage.keys });
  const url = plane.url.replace(/\/v1$/, '');
  env = { DATABRIDGE_URL: url, DATABRIDGE_TOKEN: operator.token, XDG_CONFIG_HOME: directory, THE_KEY: CANARY };
});
afterAll(() => rmSync(directory, { recursive: true }));

/** Everything that was ever printed. */
const printed: string[] = [];

interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** In this process: a new one costs half a second. */
async function databridge(args: string[], more: Record<string, string> = {}): Promise<Ran> {
  const written: Record<'out' | 'err', string[]> = { out: [], err: [] };
  const spyOn = (stream: NodeJS.WriteStream, into: string[]) =>
    jest.spyOn(stream, 'write').mockImplementation((chunk) => into.push(String(chunk)) > 0);
  const spies = [spyOn(process.stdout, written.out), spyOn(process.stderr, written.err)];
  try {
    const code = await runProgram(args, { ...env, ...more });
    const ran = { code, out: written.out.join(''), err: written.err.join('') };
    printed.push(ran.out, ran.err);
    return ran;
  } finally {
    for (const spy of spies) spy.mockRestore();
  }
}

/** A process of its own, for what reads standard input or goes on. */
function start(args: string[], more: Record<string, string> = {}) {
  const child = spawn(process.execPath, [commandLine, ...args], {
    env: { PATH: process.env['PATH'], ...env, ...more },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  return child;
}

async function databridgeWith(input: string, args: string[], more: Record<string, string> = {}): Promise<Ran> {
  const child = start(args, more);
  child.stdin.end(input);
  const [out, err, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
  printed.push(out, err);
  return { code: Number(code), out, err };
}

const json = async (args: string[]) => {
  const { code, out, err } = await databridge([...args, '-o', 'json']);
  if (code > 1) throw new Error(err);
  return JSON.parse(out);
};

function yamlOf(customer: string, url: string, more = ''): string {
  return `  - customer: ${customer}
    eventTypes: [root-cause]
    match: { company: [${customer}] }
    destination: { type: http, url: '${url}' }
    authentication: { type: api-key, name: x-key, key: "\${THE_KEY}" }
${more}`;
}

function fileOf(name: string, ...subscriptions: string[]): string {
  const file = join(directory, name);
  writeFileSync(file, `subscriptions:\n${subscriptions.join('')}`);
  return file;
}

const events = (company: string, count: number) => Array.from({ length: count }, () => rootCauseEvent({ company }));

test('apply: shows what changes, does it, and does nothing the second time; secrets are compared, never shown', async () => {
  const [one, two] = [freshName('one'), freshName('two')];
  const receiver = await Receiver.start();
  const folder = join(directory, 'subscriptions');
  mkdirSync(folder, { recursive: true });
  fileOf('subscriptions/a.yaml', yamlOf(one, receiver.url));
  fileOf('subscriptions/b.yml', yamlOf(two, receiver.url, '    state: paused\n'));
  const apply = ['apply', '-y', '-f', folder];
  const diff = ['subscriptions', 'diff', '-f', folder];

  expect(await databridge(diff)).toMatchObject({ code: 1, out: expect.stringContaining(`${one}: new`) });
  const first = await databridge(apply);
  expect(first).toMatchObject({ code: 0, err: '' });
  expect(first.out).toContain('+ authentication.key: [secret]');
  expect(first.out).toMatch(new RegExp(`${one} +created\n${two} +created`));
  expect(await json(['subscriptions', 'list'])).toEqual(
    expect.arrayContaining([expect.objectContaining({ customer: two, state: 'paused' })]),
  );
  expect((await databridge(apply)).out).toMatch(new RegExp(`^CUSTOMER.*\n${one} +unchanged\n${two} +unchanged\n$`));
  expect(await databridge(diff)).toMatchObject({ code: 0, out: 'No differences.\n' });

  const other = await databridge(diff, { THE_KEY: `${CANARY}-2` });
  expect(other).toMatchObject({
    code: 1,
    out: expect.stringContaining('~ authentication.key: [secret] → another secret'),
  });
  fileOf('subscriptions/a.yaml', yamlOf(one, receiver.url, '    ratePerSecond: 7\n    filter: has(event.intent)\n'));
  const second = await databridge(['subscriptions', ...apply]);
  expect(second.out).toContain('+ ratePerSecond: 7\n');
  expect((await json(['subscriptions', 'get', one])).filter).toBe('has(event.intent)');
  expect((await databridge(['subscriptions', 'get', one])).out).toContain('key: "[secret]"');
  // What a file leaves out is kept; what it says is done: two is active again.
  fileOf('subscriptions/b.yml', yamlOf(two, receiver.url, '    state: active\n'));
  expect((await databridge(apply)).out).toContain('~ state: paused → active');
});

test('apply: mistakes of the file and those that only the API finds come in one round, by line and column', async () => {
  const [one, two] = [freshName('many'), freshName('many')];
  const file = fileOf(
    'many.yaml',
    yamlOf(one, 'http://10.0.0.1/x', '    filter: event.sumary.folder == "x"\n'),
    yamlOf(two, 'https://${NOBODY}/x', '    ratePerSecnd: 5\n'),
    // What only the API knows is told of those with mistakes in the file as well.
    `  - { customer: ${freshName('many')}, eventTypes: [root-cuase],\n`,
    `      destination: { type: http, url: "http://10.0.0.1/x" } }\n`,
  );
  const { code, err } = await databridge(['apply', '-y', '-f', file]);
  expect(code).toBe(2);
  const places = [...err.matchAll(/many\.yaml:(\d+):\d+: (\S+)/g)].map(([, line, place]) => `${line} ${place}`);
  expect(places).toEqual([
    ...['5 destination.url', '7 filter', '11 destination.url:', '13 ratePerSecnd'],
    ...['14 match', '14 eventTypes.0', '15 destination.url'],
  ]);
});

test('apply: without a terminal it needs --yes, and changes nothing without', async () => {
  const customer = freshName('asked');
  const receiver = await Receiver.start();
  const ran = await databridgeWith('', ['apply', '-f', fileOf('asked.yaml', yamlOf(customer, receiver.url))]);
  expect(ran).toMatchObject({ code: 2, err: expect.stringContaining('Repeat the command with --yes') });
  expect(await databridge(['subscriptions', 'get', customer])).toMatchObject({ code: 2 });
});

test('apply: every mistake at its place, those that only the API sees too, and nothing is done', async () => {
  const customer = freshName('wrong');
  const file = fileOf('wrong.yaml', yamlOf(customer, 'http://8.8.8.8/x', '    filter: event.sumary.folder == "x"\n'));
  const wrong = await databridge(['apply', '-y', '-f', file]);
  expect(wrong).toMatchObject({ code: 2, out: '' });
  expect(wrong.err).toMatch(/wrong\.yaml:\d+:\d+: filter at character 7: .*did you mean "summary"/);
  fileOf('wrong.yaml', yamlOf(customer, 'http://10.0.0.1/x'));
  const closed = await databridge(['apply', '-y', '-f', file]);
  expect(closed.code).toBe(2);
  expect(closed.err).toContain(`customer "${customer}"`);
  expect(await databridge(['subscriptions', 'get', customer])).toMatchObject({ code: 2 });
});

test('a day at the desk: state, attempts, dead letters, replay and books', async () => {
  const customer = freshName('desk');
  const receiver = await Receiver.start((_request, nth) => ({ status: nth === 1 ? 400 : 200 }));
  await databridge(['apply', '-y', '-f', fileOf('desk.yaml', yamlOf(customer, receiver.url))]);
  await stage.fanOutKnowsAll();
  const tailing = start(['tail', customer, '-o', 'json']);
  for await (const line of createInterface(tailing.stderr)) if (line.startsWith('Waiting for attempts')) break;
  await stage.upstream.produce(events(customer, 2));
  await receiver.waitFor(({ requests }) => requests.length === 2);
  const lines: string[] = [];
  for await (const line of createInterface(tailing.stdout)) if (lines.push(line) === 2) break;
  tailing.kill('SIGINT');
  expect((await once(tailing, 'close'))[0]).toBe(0);
  expect(lines.map((line) => JSON.parse(line))).toEqual(
    [1, 2].map(() => expect.objectContaining({ customer, outcome: 'refused' })),
  );

  const attempts = await json(['attempts', customer, '--outcome', 'refused', '--limit', '1']);
  expect(attempts).toEqual([expect.objectContaining({ outcome: 'refused', status: 400 })]);
  const letters = await eventually(
    () => json(['dead-letters', 'list', customer]),
    (all) => all.length === 2,
  );
  const [letter] = letters;
  // Lists show the beginnings of ids, and commands take them.
  const listed = (await databridge(['dead-letters', 'list', customer])).out.split(/\s+/);
  const short = listed.find((word) => word.length >= 5 && letter.id.startsWith(word)) ?? 'no id';
  expect(short.length).toBeLessThan(letter.id.length);
  expect(await json(['attempts', customer, '--event', letter.eventId.slice(0, -1)])).toHaveLength(1);
  const ambiguous = await databridge(['dead-letters', 'get', customer, letter.id.slice(0, 1)]);
  expect(ambiguous).toMatchObject({ code: 2, err: expect.stringContaining('Several dead letters begin with') });
  expect(await json(['dead-letters', 'get', customer, short])).toMatchObject({
    id: letter.id,
    reason: 'refused',
    event: { summary: { company: customer } },
  });
  expect((await databridge(['dead-letters', 'get', customer, letter.id])).out).toContain('"category_name": "support"');
  expect((await databridge(['dead-letters', 'discard', customer, '-y'])).code).toBe(2);
  expect((await databridge(['dead-letters', 'discard', customer, short, '-y'])).out).toBe(
    `${customer}: 1 discarded.\n`,
  );
  expect((await databridge(['redrive', customer, '--reason', 'refused'])).out).toBe(`${customer}: 1 redriven.\n`);
  await receiver.waitFor(({ accepted }) => accepted === 1);

  const again = await databridge(['redeliver', customer, '--event', letters[1].eventId]);
  expect(again.out).toMatch(/: 1 event is delivered again, as /);
  await receiver.waitFor(({ requests }) => requests.length === 4);
  expect((await databridge(['pause', customer])).out).toBe(`${customer}: active → paused\n`);
  expect((await databridge(['pause', customer])).out).toBe(`${customer} is paused already.\n`);
  expect(await databridge(['enable', customer])).toMatchObject({ code: 4, err: expect.stringContaining('resume it') });
  expect((await databridge(['rewind', customer, '--to-earliest', '--dry-run'])).out).toContain(
    'would be delivered again',
  );
  expect(await databridge(['rewind', customer, '--to-offset', '9999'])).toMatchObject({ code: 2 });
  expect((await databridge(['resume', customer])).out).toBe(`${customer}: paused → active\n`);

  expect(await databridge(['test', customer])).toMatchObject({ code: 1, out: expect.stringMatching(/status +400/) });
  const [status] = await json(['status', customer]);
  expect(status).toMatchObject({ customer, state: 'active' });
  expect((await databridge(['status'])).out).toContain(`${customer} `);
  const [books] = await json(['reconcile', customer, '--events']);
  expect(books).toMatchObject({ written: 2, delivered: 1, removed: 1, unaccounted: [] });
  expect(Object.values(books.events).sort()).toEqual(['delivered', 'removed']);
  expect((await databridge(['reconcile', customer])).out).toContain('Every event is accounted for.');
});

test('a filter is tried by itself and as a customer has it', async () => {
  const file = join(directory, 'event.json');
  writeFileSync(file, JSON.stringify(rootCauseEvent({ folder: 'Support' })));
  const tried = (filter: string) => databridge(['subscriptions', 'try-filter', '-f', file, '--filter', filter]);
  expect(await tried('event.summary.folder == "Support"')).toMatchObject({
    code: 0,
    out: expect.stringMatching(/^It matches/),
  });
  expect(await tried('event.callback.processed')).toMatchObject({
    code: 1,
    out: 'It does not match: the event has no "callback".\n',
  });
  expect(await tried('event.sumary')).toMatchObject({
    code: 2,
    err: expect.stringContaining('/filter: at character 7'),
  });
  const customer = freshName('tried');
  const receiver = await Receiver.start();
  await databridge([
    'apply',
    '-y',
    '-f',
    fileOf('tried.yaml', yamlOf(customer, receiver.url, '    filter: has(event.callback)\n')),
  ]);
  expect(await databridge(['subscriptions', 'try-filter', customer, '-f', file])).toMatchObject({ code: 1 });
});

test('secrets are set from standard input alone, keys rotated, a customer deleted having said what becomes of what waits', async () => {
  const customer = freshName('kept');
  const receiver = await Receiver.start();
  await databridge(['apply', '-y', '-f', fileOf('kept.yaml', yamlOf(customer, receiver.url, '    state: paused\n'))]);
  expect((await json(['secrets', 'list', customer])).map(({ name }: { name: string }) => name)).toEqual([
    'authentication.key',
  ]);
  const set = await databridgeWith(`${CANARY}-3\n`, [
    'secrets',
    'set',
    customer,
    'authentication.key',
    '--overlap',
    '1h',
  ]);
  expect(set).toMatchObject({ code: 0, out: `${customer}: authentication.key is set.\n` });
  const [secret] = await json(['secrets', 'list', customer]);
  expect(secret.fallbackUntilMs).toBeGreaterThan(Date.now());
  expect(await databridgeWith('', ['secrets', 'set', customer, 'authentication.key'])).toMatchObject({ code: 2 });
  // The file's secret is another one now, which only delivery workers could tell.
  const file = join(directory, 'kept.yaml');
  expect((await databridge(['subscriptions', 'diff', '-f', file])).out).toContain('nobody can tell');
  const keysFile = join(directory, 'delivery.keys');
  writeFileSync(keysFile, stage.openingKeys, { mode: 0o600 });
  expect(await databridge(['keys', 'rotate', '--keys-file', keysFile])).toMatchObject({ code: 0 });

  await stage.fanOutKnowsAll();
  await stage.upstream.produce(events(customer, 1));
  // Asked before the event is there, it would be deleted.
  await eventually(
    () => stage.lag(customer, deliveryTopic(customer)),
    (lag) => lag === 1,
  );
  expect(await databridge(['subscriptions', 'delete', customer, '-y'])).toMatchObject({
    code: 4,
    err: expect.stringContaining('waiting'),
  });
  expect(await databridge(['subscriptions', 'delete', customer, '-y', '--waiting', 'discard'])).toMatchObject({
    code: 0,
  });
  expect(await databridge(['status', customer])).toMatchObject({ code: 2 });
});

test('login keeps the token for its owner alone, and only one that works', async () => {
  const url = env['DATABRIDGE_URL'] as string;
  const home = { XDG_CONFIG_HOME: join(directory, 'home'), DATABRIDGE_URL: '', DATABRIDGE_TOKEN: '' };
  expect(await databridge(['status'], home)).toMatchObject({
    code: 2,
    err: expect.stringContaining('databridge login'),
  });
  expect(await databridgeWith('wrong\n', ['login', url], home)).toMatchObject({ code: 3 });
  const known = await databridgeWith(`${reader.token}\n`, ['login', url], home);
  expect(known).toMatchObject({ code: 0, err: '' });
  const file = join(directory, 'home', 'databridge', 'credentials.json');
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual({ url, token: reader.token });
  expect(await databridge(['subscriptions', 'list'], home)).toMatchObject({ code: 0 });
  expect(await databridge(['pause', 'nobody'], home)).toMatchObject({
    code: 3,
    err: expect.stringContaining('reader'),
  });
  // A token that was given for one address is not sent to another.
  expect(await databridge(['status'], { ...home, DATABRIDGE_URL: 'http://127.0.0.1:9' })).toMatchObject({ code: 2 });
  expect((await databridge(['logout'], home)).out).toBe('Forgotten.\n');
});

test('nobody answers: said so, with what to do; and completion stays silent', async () => {
  // No process gets this port by chance, and fetch does not refuse it.
  const away = { DATABRIDGE_URL: 'http://127.0.0.1:1023' };
  const failed = await databridge(['status'], away);
  expect(failed).toMatchObject({ code: 5, out: '' });
  expect(failed.err).toMatch(
    /1023 can't be reached \(ECONNREFUSED\)\. Is the control plane running, and is the address right\?/,
  );
});

test('bash completes commands and the customers that there are', async () => {
  const customer = freshName('typed');
  const receiver = await Receiver.start();
  await databridge(['apply', '-y', '-f', fileOf('typed.yaml', yamlOf(customer, receiver.url))]);
  // As bash-completion has it, which need not be installed here: the words before and at the cursor.
  const script = `
    _get_comp_words_by_ref() { cur=$LAST; words=("\${TYPED[@]}"); }
    compopt() { :; }
    databridge() { '${process.execPath}' '${commandLine}' "$@"; }
    source <(databridge completion bash)
    complete_for() { TYPED=(databridge "$@"); LAST="\${!#}"; COMPREPLY=(); __databridge_complete; echo "\${COMPREPLY[*]}"; }
    complete_for subscriptions di
    complete_for pause typed-`;
  const bash = spawn('bash', ['--norc', '-c', script], { env: { PATH: process.env['PATH'], ...env } });
  const [out, err] = await Promise.all([text(bash.stdout), text(bash.stderr)]);
  expect({ out, err }).toEqual({ out: `diff\n${customer}\n`, err: '' });
});

test('no secret and no token was ever printed', async () => {
  expect(printed.join('')).not.toContain(CANARY);
  expect(printed.join('')).not.toContain(operator.token);
  expect(printed.join('')).not.toContain(reader.token);
});
