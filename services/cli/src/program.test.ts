import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseKeySet } from '@databridge/kernel/secrets/key-set';
import { Opener } from '@databridge/kernel/secrets/opener';
import { SealingDesk } from '@databridge/kernel/secrets/sealing-desk';
import { anyText } from '@databridge/schemas/event/text-fixture';
import fc from 'fast-check';
import { ApiError } from './api/api-error.ts';
import { adviceOn, type ExitCode, exitCodeOf } from './exit-code.ts';
import { runProgram } from './program.ts';

const directory = mkdtempSync(join(tmpdir(), 'databridge-cli-'));
const empty = join(directory, 'empty');
mkdirSync(empty);
afterAll(() => rmSync(directory, { recursive: true }));

/** The URL of a port that no system hands out, and that `fetch` does not refuse by itself. */
const NOBODYS_URL = 'http://127.0.0.1:2';

async function run(
  args: string[],
  env: Record<string, string> = {},
): Promise<{ code: ExitCode; out: string; err: string }> {
  const written: Record<'out' | 'err', string[]> = { out: [], err: [] };
  const spyOn = (stream: NodeJS.WriteStream, into: string[]) =>
    jest.spyOn(stream, 'write').mockImplementation((text) => into.push(String(text)) > 0);
  const spies = [spyOn(process.stdout, written.out), spyOn(process.stderr, written.err)];
  try {
    const code = await runProgram(args, { XDG_CONFIG_HOME: directory, ...env });
    return { code, out: written.out.join(''), err: written.err.join('') };
  } finally {
    for (const spy of spies) spy.mockRestore();
  }
}

function fileOf(text: string): string {
  const file = join(directory, 'subscriptions.yaml');
  writeFileSync(file, text);
  return file;
}

describe('exit codes', () => {
  test('0: help, and keys that services take: those that open secrets in a file of their own', async () => {
    expect((await run(['--help'])).code).toBe(0);
    const directory = mkdtempSync(join(tmpdir(), 'keys-'));
    const generate = (name: string) => run(['keys', 'generate', '--directory', directory, '--name', name]);
    expect((await generate('k1')).code).toBe(0);
    expect((await generate('k2')).code).toBe(0);
    const keysOf = (file: string) => parseKeySet(readFileSync(join(directory, file), 'utf8'));
    expect(new Opener(keysOf('delivery.keys')).kids).toEqual(['k2', 'k1']);
    expect(new SealingDesk(keysOf('control-plane.keys')).kids).toEqual(['k2', 'k1']);
    expect(() => new SealingDesk(keysOf('delivery.keys'))).toThrow(/"k2" opens secrets/);
    const { code, err } = await generate('k2');
    expect([code, err]).toEqual([2, expect.stringContaining('name "k2" twice')]);
    expect(new Opener(keysOf('delivery.keys')).kids).toEqual(['k2', 'k1']);
  });

  test.each([
    ['an unknown command', ['aply'], {}, /unknown command 'aply'/],
    ['a missing option', ['apply'], {}, /required option/],
    ['a time that is none', ['reconcile', '--from', 'yesterday'], {}, /24h for a day ago/],
    ['a file that is not there', ['apply', '-f', '/nowhere/subscriptions.yaml'], {}, /nowhere.*cannot be read/],
    ['a directory with nothing in it', ['apply', '-f', empty], {}, /^There is no \.yaml/],
    ['two ends at once', ['rewind', 'a', '--to-earliest', '--to-offset', '1'], {}, /^Give one of --to-time/],
    ['an offset that is none', ['rewind', 'a', '--to-offset', '-1'], {}, /An offset is a whole number/],
    ['an event and a time', ['redeliver', 'a', '--event', 'x', '--from', '1h'], {}, /^Give either --event/],
    ['whose dead letters', ['redrive'], {}, /^Give either a customer, or --quarantine/],
    ['which dead letters', ['dead-letters', 'discard', 'a'], {}, /^Give ids or --reason, or --all/],
    ['whose filter', ['subscriptions', 'try-filter', '-f', '-'], {}, /^Give either a customer, or --filter/],
    ['what becomes of what waits', ['subscriptions', 'delete', 'a', '--waiting', 'x'], {}, /Allowed choices are/],
    ['no API', ['status'], {}, /databridge login/],
    ['no token', ['status'], { DATABRIDGE_URL: 'http://127.0.0.1:1' }, /who you are at http:\/\/127\.0\.0\.1:1/],
    ['a wrong address', ['status'], { DATABRIDGE_URL: 'kafka:9092' }, /DATABRIDGE_URL: must be the http/],
    ['no Kafka', ['topics', 'create'], {}, /KAFKA_BROKERS: is not set/],
  ])('2: %s', async (_what, args, env, message) => {
    const { code, err } = await run(args, env);
    expect(code).toBe(2);
    expect(err).toMatch(message);
    expect(err).not.toContain('    at ');
  });

  test('2: a file with mistakes, named by file, line and column, before anything is asked of the API', async () => {
    const file = fileOf('subscriptions:\n  - customer: ACME\n    eventTypes: []\n');
    const { code, err } = await run(['apply', '-f', file]);
    expect(code).toBe(2);
    expect(err.split('\n').map((line) => line.replace(file, 'f').split(' ')[0])).toEqual([
      'f:2:5:',
      'f:2:5:',
      'f:2:15:',
      'f:3:17:',
      '',
    ]);
  });

  test('5: nobody answers', async () => {
    const { code, err } = await run(['status'], { DATABRIDGE_URL: NOBODYS_URL, DATABRIDGE_TOKEN: 'x' });
    expect(code).toBe(5);
    expect(err).toMatch(/ECONNREFUSED.*Is the control plane running/);
    expect(err).not.toContain('    at ');
  });

  test.each([
    [404, 2],
    [422, 2],
    [401, 3],
    [403, 3],
    [409, 4],
    [412, 4],
    [428, 4],
    [429, 5],
    [503, 5],
    [500, 1],
  ])('an answer of %d is %d, with every mistake by its pointer', (status, code) => {
    const body = { title: 'x', status, code: 'DB_X', detail: 'Why.', errors: [{ pointer: '/a', detail: 'is wrong' }] };
    const error = ApiError.of(status, JSON.stringify(body));
    expect(exitCodeOf(error)).toBe(code);
    expect(adviceOn(error)).toMatch(/^Why\.\n {2}\/a: is wrong/);
  });

  test('a page of a proxy is not taken for an answer of the API, and is shown in short', () => {
    const error = ApiError.of(502, `<html>${'x'.repeat(500)}`);
    expect(exitCodeOf(error)).toBe(5);
    expect(error.message.length).toBeLessThan(250);
  });
});

test.each([
  [['tokens', 'generate', '--name', 'x', '--role', 'operator', '--customer', 'acme'], /is not limited to a customer/],
  [['keys', 'generate', '--directory', join(import.meta.filename, 'keys')], /can't be made/],
  [['status', '--interval', '5s'], /goes with --watch/],
  [['status', '--watch', '--interval', '0s'], /at least 200ms/],
  [['audit', '--limit', '0'], /whole number from 1/],
])('%j is refused in words', async (args, words) => {
  const { code, err } = await run(args, { DATABRIDGE_URL: NOBODYS_URL, DATABRIDGE_TOKEN: 'x' });
  expect([code, err]).toEqual([2, expect.stringMatching(words)]);
});

test.each([
  ['Latin-1', Buffer.from('subscriptions: # M\xfcller\n', 'latin1')],
  ['UTF-16', Buffer.from('\ufeffsubscriptions:\n', 'utf16le')],
])('a file in %s is refused in words', async (_what, bytes) => {
  const file = fileOf('');
  writeFileSync(file, bytes);
  const { code, err } = await run(['apply', '-f', file]);
  expect([code, err]).toEqual([2, `${file} is not UTF-8 text: save it in that encoding\n`]);
});

test('a file of several YAML documents is refused with a message', async () => {
  const { code, err } = await run(['apply', '-f', fileOf('subscriptions: []\n---\nsubscriptions: []\n')]);
  expect([code, err]).toEqual([2, expect.stringContaining('several documents')]);
});

describe('completion', () => {
  const completed = async (...words: string[]) => {
    const written: string[] = [];
    const spy = jest.spyOn(console, 'log').mockImplementation((line) => void written.push(String(line)));
    await run(['complete', '--', ...words]);
    spy.mockRestore();
    return written.map((line) => line.split('\t')[0]);
  };

  test('commands, options and their values', async () => {
    expect(await completed('subscriptions', '')).toEqual(expect.arrayContaining(['list', 'apply', 'try-filter']));
    expect(await completed('status', '--output', '')).toEqual(expect.arrayContaining(['table', 'json', 'yaml']));
    expect(await completed('dead-letters', 're')).toContain('redrive');
  });

  test('customers, as the API knows them; none when it does not answer', async () => {
    const server = createServer((_request, response) => response.end('{"items":[{"customer":"acme"}]}'));
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const { port } = server.address() as AddressInfo;
    const env = { DATABRIDGE_URL: `http://127.0.0.1:${port}`, DATABRIDGE_TOKEN: 'x' };
    const written: string[] = [];
    const spy = jest.spyOn(console, 'log').mockImplementation((line) => void written.push(String(line)));
    await run(['complete', '--', 'pause', ''], env);
    server.close();
    await run(['complete', '--', 'pause', ''], env);
    spy.mockRestore();
    expect(written.filter((line) => line.startsWith('acme'))).toHaveLength(1);
  });

  test.each(['bash', 'zsh', 'fish'])('a script for %s', async (shell) => {
    expect((await run(['completion', shell])).out).toContain('databridge complete --');
  });
});

test('any arguments: an exit code and a message, never a stack and never a hang', async () => {
  const words = [
    ...['apply', 'status', 'pause', 'resume', 'rewind', 'redeliver', 'redrive', 'tail', 'reconcile', 'attempts'],
    ...['subscriptions', 'list', 'get', 'diff', 'delete', 'try-filter', 'dead-letters', 'discard', 'test'],
    ...['keys', 'rotate', 'tokens', 'topics', 'generate', 'create', 'logout', '-f', '--file', '--json', '--from'],
    ...['--to', '--to-offset', '--help', '-o', 'yaml', 'acme', '/nowhere', '24h', '-1', '--', '--dry-run', '--yes'],
  ];
  const word = fc.oneof(
    fc.constantFrom(...words),
    // Standard input would be waited for.
    anyText({ maxLength: 12 }).filter((text) => text !== '-'),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(word, { maxLength: 6 }), async (args) => {
      const { code, out, err } = await run(args);
      expect([0, 1, 2]).toContain(code);
      expect(`${out}${err}`).not.toMatch(/^ {4}at /m);
      if (code !== 0) expect(err.trim()).not.toBe('');
    }),
    { numRuns: 40 },
  );
}, 180_000);
