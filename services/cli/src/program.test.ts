import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { KeyRing } from '@databridge/kernel/key-ring';
import fc from 'fast-check';
import { type ExitCode, runProgram } from './program.ts';

const { jest } = import.meta;
const directory = mkdtempSync(join(tmpdir(), 'databridge-cli-'));
afterAll(() => rmSync(directory, { recursive: true }));

async function run(
  args: string[],
  env: Record<string, string> = {},
): Promise<{ code: ExitCode; out: string; err: string }> {
  const written: Record<'out' | 'err', string[]> = { out: [], err: [] };
  const spyOn = (stream: NodeJS.WriteStream, into: string[]) =>
    jest.spyOn(stream, 'write').mockImplementation((text) => into.push(String(text)) > 0);
  const spies = [spyOn(process.stdout, written.out), spyOn(process.stderr, written.err)];
  try {
    const code = await runProgram(args, env);
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
  test('0: help, and a key that the key ring takes', async () => {
    expect((await run(['--help'])).code).toBe(0);
    const { code, out } = await run(['keys', 'generate', '--name', 'k1']);
    expect(code).toBe(0);
    expect(new KeyRing(out.trim()).currentKid).toBe('k1');
  });

  test.each([
    ['an unknown command', ['aply'], {}, /unknown command 'aply'/],
    ['a missing option', ['apply'], {}, /required option/],
    ['a time that is none', ['reconcile', '--from', 'yesterday'], {}, /24h for a day ago/],
    ['a file that is not there', ['apply', '-f', '/nowhere/subscriptions.yaml'], {}, /^The file can't be read/],
    ['two ends at once', ['rewind', 'a', '--to-earliest', '--to-offset', '1'], {}, /^Give one of --to-time/],
    ['an offset that is none', ['rewind', 'a', '--to-offset', '-1'], {}, /An offset is a whole number/],
    ['an event and a time', ['redeliver', 'a', '--event', 'x', '--from', '1h'], {}, /^Give either --event/],
    ['whose dead letters', ['redrive'], {}, /^Give either a customer, or --quarantine/],
    ['configuration', ['status'], {}, /KAFKA_BROKERS: is not set/],
  ])('2: %s', async (_what, args, env, message) => {
    const { code, err } = await run(args, env);
    expect(code).toBe(2);
    expect(err).toMatch(message);
    expect(err).not.toContain('    at ');
  });

  test('2: a file with mistakes, named by file, line and column, before anything is asked of Kafka', async () => {
    const file = fileOf('subscriptions:\n  - customer: ACME\n    eventTypes: []\n');
    const { code, err } = await run(['apply', '-f', file]);
    expect(code).toBe(2);
    expect(err.split('\n').map((line) => line.replace(file, 'f').split(' ')[0])).toEqual([
      'f:2:5:',
      'f:2:15:',
      'f:3:17:',
      '',
    ]);
  });

  test('1: nobody answers', async () => {
    const { code, err } = await run(['status'], { KAFKA_BROKERS: '127.0.0.1:1' });
    expect(code).toBe(1);
    // Node may add warnings of its own about how the tests are run.
    expect(err.trim().split('\n').at(-1)).toMatch(/^connect: .*ECONNREFUSED/);
    expect(err).not.toContain('    at ');
  }, 20_000);
});

test('any arguments: an exit code and a message, never a stack and never a hang', async () => {
  const word = fc.oneof(
    fc.constantFrom(
      ...[
        'apply',
        'status',
        'pause',
        'resume',
        'enable',
        'disable',
        'rewind',
        'redeliver',
        'redrive',
        'tail',
        'reconcile',
      ],
      ...[
        'keys',
        'tokens',
        'topics',
        'generate',
        'create',
        '-f',
        '--file',
        '--json',
        '--from',
        '--to',
        '--to-offset',
        '--help',
      ],
      ...['acme', '/nowhere', '24h', '-1', '--', '--to-time=x', '--dry-run'],
    ),
    // Standard input would be waited for.
    fc.string({ unit: 'binary', maxLength: 12 }).filter((text) => text !== '-'),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(word, { maxLength: 6 }), async (args) => {
      const { code, out, err } = await run(args);
      expect([0, 1, 2]).toContain(code);
      expect(`${out}${err}`).not.toMatch(/^ {4}at /m);
      if (code !== 0) expect(err.trim()).not.toBe('');
    }),
    { numRuns: 80 },
  );
}, 30_000);
