import { durationMs } from '@databridge/kernel/config';
import { DatabridgeError, type ErrorCode, messageOf } from '@databridge/kernel/errors';
import { Command, CommanderError, InvalidArgumentError } from 'commander';
import { apply, createTopics, type Environment, generateKey, reconcileCustomers, status } from './commands.ts';

/**
 * 0: done, and all is well. 1: failed, or it is not well: events unaccounted for, topics with other settings.
 * 2: what was typed, the file or the configuration is wrong: trying again won't help.
 */
export type ExitCode = 0 | 1 | 2;

const WRONG_INPUT: ReadonlySet<ErrorCode> = new Set([
  'DB_CONFIG_INVALID',
  'DB_INPUT_INVALID',
  'DB_KEY_RING_INVALID',
  'DB_NOT_FOUND',
]);

/** Runs the command line and prints what there is to say; never throws. */
export async function runProgram(args: readonly string[], env: Environment): Promise<ExitCode> {
  let isWell = true;
  try {
    await createProgram(env, (result) => {
      isWell = result;
    }).parseAsync([...args], { from: 'user' });
    return isWell ? 0 : 1;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    process.stderr.write(`${messageOf(error)}\n`);
    return error instanceof DatabridgeError && WRONG_INPUT.has(error.code) ? 2 : 1;
  }
}

function createProgram(env: Environment, onResult: (isWell: boolean) => void): Command {
  const program = new Command('databridge')
    .description('Runs Databridge Events: subscriptions, topics, keys, and the proof that nothing is lost.')
    .addHelpText('after', '\nExit codes: 0 done; 1 failed, or not all is well; 2 the input or configuration is wrong.')
    .exitOverride();

  program
    .command('apply')
    .description('publish the subscriptions of a YAML file; customers that are not in it stay as they are')
    .requiredOption('-f, --file <file>', 'the file; - is standard input')
    .action(async (options) => onResult(await apply(env, options)));
  program
    .command('status')
    .description('show how every customer is doing')
    .option('--json', 'for programs')
    .action(async (options) => onResult(await status(env, options)));
  program
    .command('reconcile')
    .description('account for every event that fan-out wrote: delivered, waiting, dead-lettered or removed')
    .argument('[customer...]', 'which customers; all of them if left out')
    .option('--from <time>', 'written then or later: 2026-01-31T12:00Z, or how long ago, such as 24h', parseTime)
    .option('--to <time>', 'written before then', parseTime)
    .option('--json', 'for programs')
    .option('--events', 'with --json: what became of each event')
    .action(async (names, options) => onResult(await reconcileCustomers(env, names, options)));
  program
    .command('keys')
    .description('the key ring that seals secrets')
    .command('generate')
    .description('print a new key for DATABRIDGE_KEYS')
    .option('--name <name>', 'its name in the ring; today’s date if left out')
    .action((options) => onResult(generateKey(options)));
  program
    .command('topics')
    .description('the topics that the services themselves need')
    .command('create')
    .description('create those that are missing; compare the others with what they should be')
    .action(async () => onResult(await createTopics(env)));
  return program;
}

function parseTime(text: string): Date {
  const agoMs = durationMs(text);
  const time = agoMs === undefined ? new Date(text) : new Date(Date.now() - agoMs);
  if (Number.isNaN(time.getTime())) throw new InvalidArgumentError('Write 2026-01-31T12:00Z, or 24h for a day ago.');
  return time;
}
