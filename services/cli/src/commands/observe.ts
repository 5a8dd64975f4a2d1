/** Commands that change nothing. */

import { DatabridgeError } from '@databridge/kernel/errors';
import { systemClock } from '@databridge/kernel/time/clock';
import type { Intake, Reconciliation, Status, Workers } from '@databridge/schemas/api/types';
import type { Attempt } from '@databridge/schemas/records/attempts';
import { type Command, Option } from 'commander';
import { ApiError } from '../api/api-error.ts';
import { type Cli, pathOf } from '../cli.ts';
import { type OutputOptions, print, printsList, withOutput } from '../output/output.ts';
import { formatFleet, formatReconciliations, formatStatus, formatStatuses, reasonOf, timeOf } from '../output/print.ts';
import { parseCount, parseDuration, parseTime, refuseSwapped } from '../parse-arguments.ts';
import { eventsOf, fullId, shortened } from '../short-ids.ts';
import { tail } from './observe/tail.ts';
import { repeat, startOfView } from './observe/watch.ts';

const OUTCOMES = ['delivered', 'retry', 'refused', 'deauthorized', 'blocked', 'gone', 'internal', 'skipped'];

export function addObservation(program: Command, cli: Cli): void {
  withOutput(
    program
      .command('status')
      .description('show the state of customers: breaker, waits, lag')
      .argument('[customer...]', 'which customers, each in full; default: all, one per line')
      .option('-w, --watch', 'refresh until Ctrl-C')
      .option('--interval <time>', 'with --watch: how often, default 2s', parseDuration),
  ).action(async (names: string[], { watch, interval: given, ...options }: StatusOptions) => {
    if (given !== undefined && !watch) throw new DatabridgeError('DB_INPUT_INVALID', '--interval goes with --watch');
    const interval = given ?? WATCH_MS;
    if (interval < MIN_WATCH_MS) {
      throw new DatabridgeError('DB_INPUT_INVALID', `--interval must be at least ${MIN_WATCH_MS}ms`);
    }
    if (!watch) await showStatus(cli, names, options);
    else
      await repeat(
        interval,
        async () => await showStatus(cli, names, options, startOfView(interval, systemClock.nowMs())),
      );
  });
  withOutput(
    program
      .command('workers')
      .description(
        'show delivery workers, dead ones included, and customers that no worker runs; exit code 1 if there are any, or if two workers have one name',
      ),
  ).action(async (options: OutputOptions) => {
    const fleet = await cli.api().get<Workers>('/workers');
    print(options, fleet, () => formatFleet(fleet));
    if (fleet.unattended.length > 0 || fleet.items.some(({ hasNamesake }) => hasNamesake)) cli.notWell();
  });
  printsList(
    program
      .command('attempts')
      .description('list attempts of the last days, the newest first')
      .argument('<customer>')
      .option('--event <id>', 'of one event: the beginning of its id is enough')
      .addOption(new Option('--outcome <outcome>', 'with this outcome').choices(OUTCOMES))
      .option('--from <time>', 'made at that time or later: 2026-01-31T12:00Z, or 24h for a day ago', parseTime)
      .option('--to <time>', 'made before that time', parseTime)
      .option('--limit <count>', 'at most this many', parseCount, 50),
    async (customer: string, choice: AttemptChoice) => await attempts(cli, customer, choice),
    (all) => ({
      AT: ({ at }) => timeOf(at),
      OUTCOME: ({ outcome }) => outcome,
      STATUS: ({ status }) => String(status ?? '-'),
      EVENT: shortened(all, ({ eventId }) => eventId),
      ATTEMPT: ({ attempt }) => attempt,
      LANE: ({ lane }) => lane,
      MS: ({ durationMs }) => Math.round(durationMs),
      ERROR: reasonOf,
    }),
  );
  withOutput(
    program
      .command('tail')
      .description('show attempts as they are made, until Ctrl-C')
      .argument('[customer]', 'the customer; default: all'),
  ).action(async (customer: string | undefined, options: OutputOptions) => await tail(cli, customer, options));
  withOutput(
    program
      .command('reconcile')
      .description('account for every event that fan-out wrote; exit code 1 if some are unaccounted for')
      .argument('[customer...]', 'which customers; default: all')
      .option(
        '--from <time>',
        'written at that time or later: 2026-01-31T12:00Z, or how long ago, such as 24h',
        parseTime,
      )
      .option('--to <time>', 'written before that time', parseTime)
      .option('--events', 'with -o json or yaml: include the result of each event'),
  ).action(async (names: string[], options: ReconcileChoice) => await reconcile(cli, names, options));
}

const WATCH_MS = 2_000;
/** Each call asks for the state of all customers. */
const MIN_WATCH_MS = 200;

interface StatusOptions extends OutputOptions {
  readonly watch?: boolean;
  readonly interval?: number;
}

async function showStatus(cli: Cli, names: readonly string[], options: OutputOptions, heading = ''): Promise<void> {
  const statuses = await statusesOf(cli, names);
  if (names.length > 0) print(options, statuses, () => heading + statuses.map(formatStatus).join('\n\n'));
  else {
    const fleet = await fleetFor(cli);
    print(options, statuses, () => heading + formatStatuses(statuses, fleet));
  }
}

/** @returns undefined for customers: workers run customers of everybody */
async function fleetFor(cli: Cli): Promise<Workers | undefined> {
  try {
    return await cli.api().get<Workers>('/workers');
  } catch (error) {
    if (error instanceof ApiError && error.status === 403) return undefined;
    throw error;
  }
}

async function statusesOf(cli: Cli, names: readonly string[]): Promise<Status[]> {
  if (names.length === 0) return await cli.api().list<Status>('/status');
  const found: Status[] = [];
  for (const name of names) found.push(await cli.api().get<Status>(pathOf(name, 'status')));
  return found;
}

interface AttemptChoice {
  readonly event?: string;
  readonly outcome?: string;
  readonly from?: Date;
  readonly to?: Date;
  readonly limit: number;
}

async function attempts(cli: Cli, customer: string, choice: AttemptChoice): Promise<Attempt[]> {
  const { event, outcome, from, to, limit } = choice;
  refuseSwapped(from, to);
  const eventId = event && (await fullId(cli.api(), eventsOf(customer), event));
  const query = { eventId, outcome, from: from?.toISOString(), to: to?.toISOString() };
  return await cli.api().list<Attempt>(pathOf(customer, 'attempts'), query, limit);
}

interface ReconcileChoice extends OutputOptions {
  readonly from?: Date;
  readonly to?: Date;
  readonly events?: boolean;
}

async function reconcile(cli: Cli, names: readonly string[], choice: ReconcileChoice): Promise<void> {
  const { from, to, events } = choice;
  refuseSwapped(from, to);
  const api = cli.api();
  const all = names.length > 0 ? names : (await api.list<Status>('/subscriptions')).map(({ customer }) => customer);
  const query = { from: from?.toISOString(), to: to?.toISOString(), events };
  const found: Reconciliation[] = [];
  // One after the other: each contains the ids of a customer's events in the control plane's memory.
  for (const name of all) found.push(await api.get<Reconciliation>(pathOf(name, 'reconciliation'), query));
  const quarantined = await quarantinedIn(cli);
  const intake = await intakeSeen(cli);
  print(choice, found, () => formatReconciliations(found, quarantined, intake));
  if (found.some(({ unaccounted }) => unaccounted.length > 0)) cli.notWell();
}

/** @returns undefined for callers that may not see data of all customers */
async function intakeSeen(cli: Cli): Promise<Intake | undefined> {
  try {
    return await cli.api().get<Intake>('/intake');
  } catch (error) {
    if (error instanceof ApiError && error.status === 403) return undefined;
    throw error;
  }
}

/** @returns undefined for callers that may not see the quarantine */
async function quarantinedIn(cli: Cli): Promise<number | undefined> {
  try {
    return (await cli.api().post<{ chosen: number }>('/quarantine/redrives', { dryRun: true })).chosen;
  } catch (error) {
    if (error instanceof ApiError && error.status === 403) return undefined;
    throw error;
  }
}
