/** Events by their state, which follows from their attempts. */
import type { EventContent, EventFate, EventStory, Routes } from '@databridge/schemas/api/types';
import { type Command, Option } from 'commander';
import { type Cli, pathOf } from '../../cli.ts';
import { type OutputOptions, print, printsList, withOutput } from '../../output/output.ts';
import { type Columns, formatAttempt, formatFacts, formatTable, timeOf } from '../../output/print.ts';
import { parseCount, parseDuration, parseTime, refuseSwapped } from '../../parse-arguments.ts';
import { eventsOf, fullId, shortened } from '../../short-ids.ts';

const STATES = ['delivered', 'retrying', 'held', 'dead', 'skipped'];
const QUARTER_MS = 900_000;

type Series = Routes['GET /v1/subscriptions/{customer}/attempts/series']['answer'];

const FATE_COLUMNS: Columns<EventFate> = {
  STATE: ({ state }) => state,
  ATTEMPTS: ({ attempts }) => attempts,
  'LAST ATTEMPT': ({ lastAtMs }) => timeOf(lastAtMs),
  OUTCOME: ({ lastOutcome }) => lastOutcome,
  STATUS: ({ lastStatus }) => String(lastStatus ?? '-'),
  'NEXT ATTEMPT': ({ nextDueMs }) => timeOf(nextDueMs) ?? '-',
};

interface ListChoice {
  readonly state?: string;
  readonly from?: Date;
  readonly to?: Date;
  readonly limit: number;
}

export function addEvents(program: Command, cli: Cli): void {
  const group = program.command('events').description('events of the last days, by what became of them');
  printsList(
    group
      .command('list')
      .description('list the events of a customer by their latest attempt, the newest first')
      .argument('<customer>')
      .addOption(new Option('--state <state>', 'in this state').choices(STATES))
      .option('--from <time>', 'last tried at that time or later: 2026-01-31T12:00Z, or 24h for a day ago', parseTime)
      .option('--to <time>', 'last tried before that time', parseTime)
      .option('--limit <count>', 'at most this many', parseCount, 50),
    async (customer: string, { state, from, to, limit }: ListChoice) => {
      refuseSwapped(from, to);
      const query = { state, from: from?.toISOString(), to: to?.toISOString() };
      return await cli.api().list<EventFate>(pathOf(customer, 'events'), query, limit);
    },
    (all) => ({ EVENT: shortened(all, ({ eventId }) => eventId), ...FATE_COLUMNS }),
  );
  withOutput(
    group
      .command('get')
      .description('show what became of one event of a customer, with every attempt')
      .argument('<customer>')
      .argument('<id>', 'the event’s id: its beginning is enough'),
  ).action(async (customer: string, id: string, options: OutputOptions) => {
    const path = pathOf(customer, 'events', await fullId(cli.api(), eventsOf(customer), id));
    const found = await cli.api().get<EventStory>(path);
    print(options, found, () => formatEvent(found));
  });
  printsList(
    group
      .command('find')
      .description('show which customers an event was sent to, and what became of it')
      .argument('<id>', 'the complete id of the event'),
    async (id: string) => (await cli.api().get<{ items: EventFate[] }>(`/events/${encodeURIComponent(id)}`)).items,
    { CUSTOMER: ({ customer }) => customer, ...FATE_COLUMNS },
  );
  withOutput(
    group
      .command('content')
      .description('show the document that a customer gets of an event; the audit log records who read it')
      .argument('<customer>')
      .argument('<id>', 'the event’s id: its beginning is enough'),
  ).action(async (customer: string, id: string, options: OutputOptions) => {
    const path = pathOf(customer, 'events', await fullId(cli.api(), eventsOf(customer), id), 'content');
    const found = await cli.api().get<EventContent>(path);
    print(options, found, () => found.unreadable ?? JSON.stringify(found.event, null, 2));
  });
  addSeries(program, cli);
}

function addSeries(program: Command, cli: Cli): void {
  withOutput(
    program
      .command('series')
      .description('count the attempts of the last 24 hours by outcome, in steps of time, with their durations')
      .argument('<customer>')
      .option('--step <time>', 'whole minutes, such as 15m', parseDuration, QUARTER_MS),
  ).action(async (customer: string, { step, ...options }: OutputOptions & { step: number }) => {
    const path = pathOf(customer, 'attempts', 'series');
    const found = await cli.api().get<Series>(path, { stepMs: step });
    print(options, found, () => formatSeries(found.items));
  });
}

function formatEvent(story: EventStory): string {
  const { customer, eventId, state, attempts, firstAtMs, lastAtMs, nextDueMs, source, tries } = story;
  const facts = formatFacts([
    ...([
      ['event', eventId],
      ['customer', customer],
      ['state', state],
      ['attempts', String(attempts)],
      ['first attempt', timeOf(firstAtMs)],
      ['last attempt', timeOf(lastAtMs)],
    ] as const),
    ...(nextDueMs === undefined ? [] : [['next attempt', timeOf(nextDueMs)] as const]),
    ...(source === undefined ? [] : [['source', source] as const]),
  ]);
  return [facts, '', ...tries.map((one) => formatAttempt(customer, one))].join('\n');
}

function formatSeries(steps: Series['items']): string {
  const used = steps.filter(({ outcomes }) => Object.keys(outcomes).length > 0);
  if (used.length === 0) return 'No attempt was made in the last 24 hours.';
  const names = [...new Set(used.flatMap(({ outcomes }) => Object.keys(outcomes)))].sort();
  const ms = (value: number | undefined) => (value === undefined ? '-' : `${Math.round(value)} ms`);
  return formatTable(
    ['FROM', ...names.map((name) => name.toUpperCase()), 'P50', 'P95', 'P99'],
    used.map(({ atMs, outcomes, p50Ms, p95Ms, p99Ms }) => [
      ...[timeOf(atMs), ...names.map((name) => outcomes[name] ?? 0)],
      ...[ms(p50Ms), ms(p95Ms), ms(p99Ms)],
    ]),
  );
}
