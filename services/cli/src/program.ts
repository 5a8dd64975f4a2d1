import { durationMs } from '@databridge/kernel/config';
import { DatabridgeError, type ErrorCode, messageOf } from '@databridge/kernel/errors';
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import {
  apply,
  createTopics,
  type Environment,
  generateKey,
  generateToken,
  reconcileCustomers,
  status,
} from './commands.ts';
import { redeliver, redrive, rewind, setState, tail } from './operations.ts';

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
    .description('show how customers are doing: state, breaker, waits, what lags')
    .argument('[customer...]', 'which customers, each in full; all of them, a line each, if left out')
    .option('--json', 'for programs')
    .action(async (names, options) => onResult(await status(env, names, options)));
  for (const [action, description] of STATE_ACTIONS) {
    program
      .command(action)
      .description(description)
      .argument('<customer>')
      .action(async (customer) => onResult(await setState(env, customer, action)));
  }
  program
    .command('rewind')
    .description('deliver again from a point on: pauses the customer, sets it back, resumes it')
    .argument('<customer>')
    .option('--to-time <time>', 'what fan-out wrote then or later: 2026-01-31T12:00Z, or 24h for a day ago', parseTime)
    .option('--to-offset <offset>', 'from that offset of the main topic', parseOffset)
    .option('--to-earliest', 'all that is left')
    .option('--dry-run', 'only say what it would do')
    .option('--skip', 'the point may lie ahead: what is passed over is never delivered')
    .option('--json', 'for programs')
    .action(async (customer, options) => onResult(await rewind(env, customer, options)));
  program
    .command('redeliver')
    .description('deliver one event, or what was written in a time, once more')
    .argument('<customer>')
    .option('--event <id>', 'the event’s id, as in the webhook-id header')
    .option('--from <time>', 'written then or later', parseTime)
    .option('--to <time>', 'written before then', parseTime)
    .action(async (customer, options) => onResult(await redeliver(env, customer, options)));
  program
    .command('redrive')
    .description('deliver dead letters once more, or put quarantined records back to the intake')
    .argument('[customer]', 'whose dead letters')
    .option('--quarantine', 'the quarantine instead')
    .option('--reason <reason...>', 'only those with one of these reasons, such as refused')
    .action(async (customer, options) => onResult(await redrive(env, customer, options)));
  program
    .command('tail')
    .description('show attempts as they are made, until Ctrl-C')
    .argument('[customer]', 'whose; everybody’s if left out')
    .option('--from <time>', 'also those since then', parseTime)
    .option('--json', 'for programs: one object a line')
    .action(async (customer, options) => onResult(await tail(env, customer, options)));
  program
    .command('reconcile')
    .description('account for every event that fan-out wrote: delivered, waiting, dead-lettered, removed or skipped')
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
    .command('tokens')
    .description('who may use the API')
    .command('generate')
    .description('print a new token, and the line that stands for it in API_TOKENS')
    .requiredOption('--name <name>', 'whose it is, as the log names them')
    .addOption(
      new Option('--role <role>', 'what it may').choices(['operator', 'reader', 'customer']).makeOptionMandatory(),
    )
    .option('--customer <customer>', 'with the role customer: which one')
    .action((options) => onResult(generateToken(options)));
  program
    .command('topics')
    .description('the topics that the services themselves need')
    .command('create')
    .description('create those that are missing; compare the others with what they should be')
    .action(async () => onResult(await createTopics(env)));
  return program;
}

const STATE_ACTIONS = [
  ['pause', 'stop sending to a customer; everything waits'],
  ['resume', 'send to a paused customer again; attempts are counted anew'],
  ['disable', 'stop sending to a customer until it is enabled'],
  ['enable', 'send to a disabled customer again; attempts are counted anew'],
] as const;

function parseOffset(text: string): number {
  if (!/^\d{1,15}$/.test(text)) throw new InvalidArgumentError('An offset is a whole number.');
  return Number(text);
}

function parseTime(text: string): Date {
  const agoMs = durationMs(text);
  const time = agoMs === undefined ? new Date(text) : new Date(Date.now() - agoMs);
  if (Number.isNaN(time.getTime())) throw new InvalidArgumentError('Write 2026-01-31T12:00Z, or 24h for a day ago.');
  return time;
}
