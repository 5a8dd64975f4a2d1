/** Commands that change what customers get. */
import { DatabridgeError } from '@databridge/kernel/errors';
import type { Rewind } from '@databridge/schemas/api/types';
import type { Command } from 'commander';
import { type Cli, pathOf } from '../cli.ts';
import { operate } from '../operation.ts';
import { type OutputOptions, print, withOutput } from '../output/output.ts';
import { formatRewind, printLine } from '../output/print.ts';
import { confirm, DeclinedError, isAttended } from '../output/terminal.ts';
import { parseOffset, parseTime } from '../parse-arguments.ts';
import { eventsOf, fullId } from '../short-ids.ts';
import { type LetterOptions, takeOut } from './letters/letters.ts';

const STATE_ACTIONS = [
  ['pause', 'stop sending to customers; everything waits'],
  ['resume', 'send to paused customers again; attempts are counted from 1'],
  ['disable', 'stop sending to customers until they are enabled'],
  ['enable', 'send to disabled customers again; attempts are counted from 1'],
] as const;

export function addOperations(program: Command, cli: Cli): void {
  for (const [action, description] of STATE_ACTIONS) {
    program
      .command(action)
      .description(description)
      .argument('<customer...>')
      .action(async (customers: string[]) => {
        for (const customer of customers) {
          const { before, after } = await cli.api().post<{ before: string; after: string }>(pathOf(customer, action));
          printLine(before === after ? `${customer} is ${after} already.` : `${customer}: ${before} → ${after}`);
        }
      });
  }
  withOutput(
    program
      .command('rewind')
      .description('send all events since a point again: pauses the customer, resets its offset, resumes it')
      .argument('<customer>')
      .option(
        '--to-time <time>',
        'from records that fan-out wrote at that time or later: 2026-01-31T12:00Z, or 24h for a day ago',
        parseTime,
      )
      .option('--to-offset <offset>', 'from this offset of the main topic', parseOffset)
      .option('--to-earliest', 'from the oldest record that Kafka still has')
      .option('--dry-run', 'only show what would be done')
      .option('--skip', 'allow a point after the current offset: the events between them are never delivered')
      .option('-y, --yes', 'do not ask'),
  ).action(async (customer: string, options: RewindChoice) => await rewind(cli, customer, options));
  program
    .command('redeliver')
    .description('send one event again, or all events that were written in a period')
    .argument('<customer>')
    .option('--event <id>', 'the event’s id, as in the webhook-id header; of a recent event, its beginning is enough')
    .option('--from <time>', 'written at that time or later', parseTime)
    .option('--to <time>', 'written before that time', parseTime)
    .option('--dry-run', 'only show the number')
    .action(async (customer: string, options: RedeliverChoice) => await redeliver(cli, customer, options));
  program
    .command('redrive')
    .description('send dead letters again, or write quarantined records to the intake again')
    .argument('[customer]', 'whose dead letters')
    .option('--quarantine', 'redrive the quarantine instead')
    .option('--reason <reason...>', 'only those with one of these reasons, such as refused')
    .option('--dry-run', 'only show the number')
    .option('--force', 'with --quarantine: include records that still cannot be read')
    .option('-y, --yes', 'do not ask')
    .action(async (customer: string | undefined, options: RedriveChoice) => await redrive(cli, customer, options));
}

interface RewindChoice extends OutputOptions {
  readonly toTime?: Date;
  readonly toOffset?: number;
  readonly toEarliest?: boolean;
  readonly dryRun?: boolean;
  readonly skip?: boolean;
  readonly yes?: boolean;
}

async function rewind(cli: Cli, customer: string, choice: RewindChoice): Promise<void> {
  const { toTime, toOffset, toEarliest, dryRun = false, skip = false, yes = false } = choice;
  const targets = [
    ...(toTime === undefined ? [] : [{ time: toTime.toISOString() }]),
    ...(toOffset === undefined ? [] : [{ offset: toOffset }]),
    ...(toEarliest ? ['earliest'] : []),
  ];
  if (targets.length !== 1) {
    throw new DatabridgeError('DB_INPUT_INVALID', 'Give one of --to-time, --to-offset and --to-earliest');
  }
  const path = pathOf(customer, 'rewinds');
  const body = { to: targets[0], maySkip: skip };
  const plan = await cli.api().post<Rewind>(path, { ...body, dryRun: true });
  if (dryRun) return print(choice, plan, () => formatRewind(plan, true));
  if (!yes && isAttended()) {
    process.stderr.write(`${formatRewind(plan, true)}\n`);
    if (!(await confirm(`Pause ${customer}, set it back, and resume it?`))) {
      throw new DeclinedError();
    }
  }
  const done = await operate<Rewind>(cli.api(), 'POST', path, { body });
  print(choice, done, () => formatRewind(done, false));
}

interface RedeliverChoice {
  readonly event?: string;
  readonly from?: Date;
  readonly to?: Date;
  readonly dryRun?: boolean;
}

async function redeliver(
  cli: Cli,
  customer: string,
  { event, from, to, dryRun = false }: RedeliverChoice,
): Promise<void> {
  const isRange = from !== undefined || to !== undefined;
  if ((event !== undefined) === isRange) {
    throw new DatabridgeError('DB_INPUT_INVALID', 'Give either --event, or --from and --to');
  }
  if (from !== undefined && to !== undefined && from >= to) {
    throw new DatabridgeError('DB_INPUT_INVALID', '--to must be later than --from');
  }
  const body =
    event === undefined
      ? { from: from?.toISOString(), to: to?.toISOString() }
      : { eventId: await fullId(cli.api(), eventsOf(customer), event) };
  const path = pathOf(customer, 'redeliveries');
  if (dryRun) {
    const { events } = await cli.api().post<{ events: number }>(path, { ...body, dryRun });
    return printLine(`${customer}: ${events} ${events === 1 ? 'event' : 'events'} would be delivered again.`);
  }
  const { events, replayId } = await operate<{ events: number; replayId: string }>(cli.api(), 'POST', path, { body });
  printLine(`${customer}: ${events} ${events === 1 ? 'event is' : 'events are'} delivered again, as ${replayId}`);
}

interface RedriveChoice extends LetterOptions {
  readonly quarantine?: boolean;
}

async function redrive(cli: Cli, customer: string | undefined, { quarantine = false, ...options }: RedriveChoice) {
  if ((customer === undefined) !== quarantine) {
    throw new DatabridgeError('DB_INPUT_INVALID', 'Give either a customer, or --quarantine');
  }
  const path = customer === undefined ? '/quarantine/redrives' : pathOf(customer, 'dead-letters', 'redrives');
  await takeOut(cli, { path, of: customer ?? 'quarantine', verb: 'redrive', ids: [] }, options);
}
