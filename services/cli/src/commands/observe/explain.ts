import { systemClock } from '@databridge/kernel/time/clock';
import type { CustomerExplanation, EventExplanation } from '@databridge/schemas/api/types';
import type { Command } from 'commander';
import { ApiError } from '../../api/api-error.ts';
import { type Cli, pathOf } from '../../cli.ts';
import { type OutputOptions, print, withOutput } from '../../output/output.ts';
import { formatFacts, reasonOf, timeOf } from '../../output/print.ts';
import { parseTime } from '../../parse-arguments.ts';

interface ExplainOptions extends OutputOptions {
  readonly event?: boolean;
  readonly from?: Date;
}

export function addExplain(program: Command, cli: Cli): void {
  withOutput(
    program
      .command('explain')
      .description(
        'say why nothing is sent to a customer, when the next attempt is, when it drains and when it would be disabled; or follow one event from the intake to its delivery',
      )
      .argument('<customer|event>', 'a customer, an event id, or <topic>/<partition>/<offset> at the intake')
      .option('--event', 'treat the argument as an event id, even if a customer has that name')
      .option('--from <time>', 'how far back to search the intake for an event id, default 24h', parseTime),
  ).action(async (name: string, options: ExplainOptions) => {
    const customer = options.event === true || name.includes('/') ? undefined : await customerNamed(cli, name);
    if (customer !== undefined) return print(options, customer, () => formatCustomer(customer, systemClock.nowMs()));
    const path = `/events/${encodeURIComponent(name)}/explanation`;
    const event = await cli.api().get<EventExplanation>(path, { from: options.from?.toISOString() });
    print(options, event, () => formatEvent(event, systemClock.nowMs()));
  });
}

/** @returns undefined if there is no such customer, so it must be an event */
async function customerNamed(cli: Cli, name: string): Promise<CustomerExplanation | undefined> {
  if (!/^[a-z0-9-]{1,63}$/.test(name)) return undefined;
  try {
    return await cli.api().get<CustomerExplanation>(pathOf(name, 'explanation'));
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) return undefined;
    throw error;
  }
}

function formatCustomer(one: CustomerExplanation, nowMs: number): string {
  const { gate, nextAttempt, backlog, budget, disabling, deliveredPerSecond, arrivingPerSecond } = one;
  const lanes = Object.entries(backlog.byLane).filter(([, records]) => records > 0);
  const facts: (readonly [string, string])[] = [
    ['customer', one.customer],
    ['state', `${one.state}${one.runBy === undefined ? '' : `, run by ${one.runBy}`}`],
    ...(gate.length === 0 ? [['gate', 'open: events are sent'] as const] : []),
    ...gate.map((reason, n) => [n === 0 ? 'gate' : '', gateLine(reason, nowMs)] as const),
    ...gate.flatMap(({ cure }) => (cure === undefined ? [] : [['cure', cure] as const])).slice(0, 1),
    ['next attempt', nextAttempt === undefined ? 'none as things are' : attemptLine(nextAttempt, nowMs)],
    [
      'backlog',
      `${backlog.records} records${lanes.length === 0 ? '' : ` (${lanes.map(([lane, n]) => `${lane} ${n}`).join(', ')})`}`,
    ],
    ['rate', `${rate(deliveredPerSecond)} delivered, ${rate(arrivingPerSecond)} arriving`],
    ['drain', drainLine(one.drain, nowMs)],
    ...(budget === undefined ? [] : [['budget', budgetLine(budget)] as const]),
    ['disabling', disablingLine(disabling, nowMs)],
  ];
  const partial = one.isPartial
    ? ['', 'A retry lane contains more than was read: the forecast goes by its first 20,000 records.']
    : [];
  return [formatFacts(facts), ...partial].join('\n');
}

function gateLine({ because, detail, untilMs }: CustomerExplanation['gate'][number], nowMs: number): string {
  const until = untilMs === undefined ? '' : ` Until ${clock(untilMs)}, in ${span(untilMs - nowMs)}.`;
  return `${because}: ${detail}${until}`;
}

function attemptLine(next: NonNullable<CustomerExplanation['nextAttempt']>, nowMs: number): string {
  const { atMs, lane, eventId, attempt, isAtLatest } = next;
  const soon = atMs - nowMs <= 1_000;
  const when = soon
    ? 'now'
    : `${isAtLatest ? 'by' : 'at'} ${clock(atMs)}, ${isAtLatest ? 'within' : 'in'} ${span(atMs - nowMs)}`;
  return `${when}: attempt ${attempt} of ${eventId}, lane ${lane}`;
}

function drainLine(drain: CustomerExplanation['drain'], nowMs: number): string {
  switch (drain.kind) {
    case 'empty':
      return 'nothing waits';
    case 'growing':
      return 'never at this rate: no less arrives than is delivered';
    case 'stopped':
      return 'no forecast: nothing was delivered in the last two minutes, or the gate is closed';
    case 'drained': {
      const atMs = drain.atMs ?? nowMs;
      return `drained at ${clock(atMs)} at this rate, in ${span(atMs - nowMs)}`;
    }
  }
}

function budgetLine(budget: NonNullable<CustomerExplanation['budget']>): string {
  const { eventId, attempts, maxAttempts, usedMs, windowMs } = budget;
  return `${span(usedMs)} of ${span(windowMs)} and ${attempts} of ${maxAttempts} attempts used, by ${eventId}`;
}

function disablingLine(disabling: CustomerExplanation['disabling'], nowMs: number): string {
  if (disabling === undefined) return 'not in sight';
  const { atMs, because } = disabling;
  return `disabled in ${span(atMs - nowMs)}, at ${clock(atMs)}, unless an attempt succeeds (${because})`;
}

function formatEvent(event: EventExplanation, nowMs: number): string {
  const { fanOut, matching, deliveries, unreadable } = event;
  const facts: (readonly [string, string])[] = [
    ['event', `${event.eventId} (${event.eventType})`],
    ['intake', `${event.source}${event.atMs === undefined ? ', expired there' : `, written ${timeOf(event.atMs)}`}`],
    ['fan-out', `${fanOut.state}${fanOut.detail === undefined ? '' : `: ${fanOut.detail}`}`],
    ...(unreadable === undefined ? [] : [['matching', `unknown: ${unreadable}`] as const]),
    ...matching.map(
      ({ customer, matches, whyNot }) => [`match ${customer}`, matches ? 'yes' : `no: ${whyNot.join('; ')}`] as const,
    ),
  ];
  const parts = deliveries.map((one) => ['', ...deliveryLines(one, nowMs)].join('\n'));
  const partial = event.isPartial ? ['', `More customers match: the first ${deliveries.length} were looked into.`] : [];
  return [formatFacts(facts), ...parts, ...partial].join('\n');
}

function deliveryLines(one: EventExplanation['deliveries'][number], nowMs: number): string[] {
  const { customer, state, fate, lane, offset, dueAtMs, deadBecause, attempts } = one;
  const where =
    fate === 'waiting' && dueAtMs !== undefined
      ? ` in lane ${lane} at offset ${offset}, ${dueAtMs <= nowMs ? 'due now' : `due at ${clock(dueAtMs)}, in ${span(dueAtMs - nowMs)}`}`
      : '';
  const why = deadBecause === undefined ? '' : `: ${deadBecause}`;
  const blocked = fate === 'waiting' ? `; "databridge explain ${customer}" says what holds the customer back` : '';
  return [
    `${customer} (${state}): ${fate}${where}${why}${blocked}`,
    ...attempts.map(({ at, attempt, lane: from, outcome, status, ...rest }) => {
      const reason = reasonOf(rest);
      return `  ${timeOf(at)}  attempt ${attempt}, lane ${from}: ${outcome}${status === undefined ? '' : ` ${status}`}${reason === '' ? '' : `  ${reason}`}`;
    }),
  ];
}

const rate = (perSecond: number) => `${perSecond < 10 ? perSecond.toFixed(1) : Math.round(perSecond)}/s`;

/** The time of day, with the date if it is another day. UTC, like all times here. */
function clock(ms: number): string {
  const iso = new Date(ms).toISOString();
  const isToday = iso.slice(0, 10) === new Date(systemClock.nowMs()).toISOString().slice(0, 10);
  return `${isToday ? iso.slice(11, 19) : `${iso.slice(0, 10)} ${iso.slice(11, 19)}`} UTC`;
}

/** Such as `3 h 10 min`, `45 s`. */
function span(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1_000));
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return seconds % 60 === 0 ? `${minutes} min` : `${minutes} min ${seconds % 60} s`;
  return minutes % 60 === 0 ? `${Math.floor(minutes / 60)} h` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
