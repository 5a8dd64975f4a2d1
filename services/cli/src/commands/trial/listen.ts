/** `databridge listen`: a receiver on this machine, for developing receivers and for trials. */
import { DatabridgeError } from '@databridge/kernel/errors';
import { type Command, InvalidArgumentError, Option } from 'commander';
import type { Cli } from '../../cli.ts';
import { formatOf, type OutputOptions, withOutput } from '../../output/output.ts';
import { printLine, timeOf } from '../../output/print.ts';
import { parseCount, parsePort } from '../../parse-arguments.ts';
import type { Received } from './receiver.ts';

interface ListenOptions extends OutputOptions {
  readonly port: number;
  readonly host: string;
  readonly secret?: string;
  readonly status?: number;
  readonly retryAfter?: number;
  readonly count?: number;
}

export function addListen(program: Command, cli: Cli): void {
  withOutput(
    program
      .command('listen')
      .description(
        'receive events on this machine until Ctrl-C: verify signatures, print events, answer with the given status',
      )
      .option('--port <port>', 'port to listen on; 0 chooses a free port', parsePort, 9000)
      .option('--host <address>', 'address to listen on', '127.0.0.1')
      .addOption(
        new Option(
          '--secret <secret>',
          'the signing secret (whsec_…): unsigned and forged requests are answered with 401',
        ).env('DATABRIDGE_SIGNING_SECRET'),
      )
      .option(
        '--status <status>',
        'the status of every answer; default: 200, or 401 for a signature that is not valid',
        parseStatus,
      )
      .option('--retry-after <seconds>', 'the Retry-After header of every answer', parseCount)
      .option('--count <count>', 'end after this many requests', parseCount),
  ).action(async (options: ListenOptions) => await listen(cli, options));
}

function parseStatus(text: string): number {
  if (/^[2-5]\d\d$/.test(text)) return Number(text);
  throw new InvalidArgumentError('A status is a number from 200 to 599.');
}

async function listen(cli: Cli, options: ListenOptions): Promise<void> {
  const { port, host, secret, status, retryAfter, count = Number.POSITIVE_INFINITY } = options;
  if (secret !== undefined && !secret.startsWith('whsec_')) {
    throw new DatabridgeError(
      'DB_INPUT_INVALID',
      'The signing secret must start with whsec_; asymmetric keys (whsk_, whpk_) cannot be checked here',
    );
  }
  const { startReceiver } = await import('./receiver.ts');
  const { promise: ended, resolve: end } = Promise.withResolvers<void>();
  let left = count;
  const receiver = await startReceiver({
    ...{ port, host },
    ...(secret !== undefined && { secret }),
    ...(status !== undefined && { status }),
    ...(retryAfter !== undefined && { retryAfterSeconds: retryAfter }),
    onReceived(received) {
      show(received, options);
      if (received.signature === 'invalid') cli.notWell();
      left -= 1;
      if (left <= 0) end();
    },
  });
  process.stderr.write(`Listening on ${receiver.url}. Ctrl-C ends it.\n`);
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, end);
  await ended;
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.removeListener(signal, end);
  await receiver.stop();
}

function show(received: Received, options: OutputOptions): void {
  if (formatOf(options) !== 'table') {
    printLine(JSON.stringify(received));
    return;
  }
  const { atMs, id, attempt, eventType, signature, status, body, problem } = received;
  const facts = [timeOf(atMs), eventType ?? '-', id ?? 'no webhook-id', `attempt ${attempt ?? '-'}`];
  printLine([...facts, SIGNATURES[signature], `answered ${status}`, ...(problem ? [problem] : [])].join('  '));
  printLine(typeof body === 'string' ? body : JSON.stringify(body, null, 2));
}

const SIGNATURES = {
  valid: 'signature valid',
  invalid: 'signature NOT valid',
  unchecked: 'signature not checked',
} as const;
