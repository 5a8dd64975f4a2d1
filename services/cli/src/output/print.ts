/** The output for people. The types are those of the API's answers. */

import { systemClock } from '@databridge/kernel/time/clock';
import type { Intake, Reconciliation, Rewind, Status, Workers } from '@databridge/schemas/api/types';
import type { Attempt } from '@databridge/schemas/records/attempts';

export function printLine(text = ''): void {
  process.stdout.write(`${text}\n`);
}

/** Columns under their headings; numbers to the right. */
export function formatTable(headings: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  const cells = [headings, ...rows].map((row) => row.map(String));
  const widths = headings.map((_, column) => Math.max(...cells.map((row) => row[column]?.length ?? 0)));
  const isNumber = headings.map((_, column) => rows.every((row) => typeof row[column] === 'number'));
  const pad = (text: string, column: number) =>
    isNumber[column] ? text.padStart(widths[column] ?? 0) : text.padEnd(widths[column] ?? 0);
  return cells.map((row) => row.map(pad).join('  ').trimEnd()).join('\n');
}

/** Maps the heading of each column to its value for an item. */
export type Columns<Item> = Readonly<Record<string, (item: Item) => string | number>>;

/** @returns a line per item under the headings, or `ifNone` */
export function formatList<Item>(items: readonly Item[], columns: Columns<Item>, ifNone = 'None.'): string {
  if (items.length === 0) return ifNone;
  const values = Object.values(columns);
  return formatTable(
    Object.keys(columns),
    items.map((item) => values.map((of) => of(item))),
  );
}

export function formatStatuses(statuses: readonly Status[], fleet?: Workers): string {
  if (statuses.length === 0) return 'There are no customers. "databridge apply -f subscriptions.yaml" creates some.';
  const headings = ['CUSTOMER', 'STATE', 'DELIVERED', 'FAILED', 'MAIN LAG', 'RETRY LAG', 'DEAD', 'WORKER', 'NOTE'];
  const rows = statuses.map((one) => {
    const { main = 0, ...retries } = one.lagByLane;
    const { delivered = 0, ...failures } = one.attempts;
    const counts = [delivered, sum(failures), main, sum(retries), one.deadRecords];
    return [one.customer, one.state, ...counts, one.runBy ?? '-', noteOf(one)];
  });
  const legend =
    'DELIVERED and FAILED are attempts of the last 24 hours. DEAD is an upper bound: redriven letters count until Kafka compacts them away.';
  return [formatTable(headings, rows), '', legend, ...warningsOn(fleet)].join('\n');
}

/** One customer in full. */
export function formatStatus(one: Status): string {
  const { customer, state, worker, runBy, lagByLane, deadRecords, attempts } = one;
  // A customer that has a worker and no status record has had no commit yet: its breaker is as new.
  const breaker = worker?.breaker ?? (runBy === undefined ? 'unknown: no worker has run it yet' : 'closed');
  const facts: (readonly [string, string])[] = [
    ['customer', customer],
    ['state', state],
    ['note', noteOf(one) || 'nothing'],
    ...(one.invalidFilter === undefined ? [] : [['filter', `not used: ${one.invalidFilter}`] as const]),
    ['breaker', breaker],
    ['last success', timeOf(one.lastSuccessAtMs) ?? 'none yet'],
    ...Object.entries(lagByLane).map(([lane, lag]) => [`lag ${lane}`, String(lag)] as const),
    ['dead letters', deadRecords === 0 ? '0' : `${deadRecords} at most, until Kafka compacts what was redriven`],
    ...Object.entries(attempts).map(([outcome, count]) => [`attempts ${outcome}`, `${count} in 24 hours`] as const),
    ['worker', runBy ?? 'none'],
    ['status as of', worker ? `${timeOf(worker.at)}, by ${worker.worker}` : 'no status record yet'],
  ];
  return formatFacts(facts);
}

export function formatFleet(fleet: Workers): string {
  if (fleet.items.length === 0) return ['No delivery worker has reported.', ...warningsOn(fleet)].join('\n');
  const headings = ['WORKER', 'STATE', 'CUSTOMERS', 'VERSION', 'STARTED', 'LAST REPORT'];
  const rows = fleet.items.map(({ worker, isAlive, customers, version, startedAtMs, silentForMs }) => [
    ...[worker, isAlive ? 'alive' : 'dead', customers.length, version, timeOf(startedAtMs) ?? ''],
    `${secondsOf(silentForMs)} ago`,
  ]);
  const failing = fleet.items.flatMap(({ worker, failing: those }) =>
    those.map(({ customer, because }) => `${customer} can't run on ${worker}: ${because}`),
  );
  return [formatTable(headings, rows), ...failing, ...warningsOn(fleet)].join('\n');
}

/** Dead workers are named for an hour, and for as long as customers wait for one. */
const NAMED_FOR_MS = 3_600_000;

function warningsOn(fleet: Workers | undefined): string[] {
  if (fleet === undefined) return [];
  const { items, unattended } = fleet;
  const dead = items.filter(
    ({ isAlive, silentForMs }) => !isAlive && (unattended.length > 0 || silentForMs < NAMED_FOR_MS),
  );
  return [
    ...dead.map(
      ({ worker, silentForMs }) => `Worker ${worker} is dead: its last report came ${secondsOf(silentForMs)} ago.`,
    ),
    ...items
      .filter(({ hasNamesake = false }) => hasNamesake)
      .map(({ worker }) => `Two workers are named ${worker}: give each a WORKER_NAME of its own.`),
    ...(unattended.length > 0 ? [`No worker runs these active customers: ${shortened(unattended)}.`] : []),
  ];
}

const MAX_NAMED = 20;

const shortened = (names: readonly string[]) =>
  names.length <= MAX_NAMED
    ? names.join(', ')
    : `${names.slice(0, MAX_NAMED).join(', ')} and ${names.length - MAX_NAMED} more`;

const secondsOf = (ms: number) => `${Math.round(ms / 1_000)} s`;

/** Lines of a name and its value. */
export function formatFacts(facts: readonly (readonly [string, string])[]): string {
  const width = Math.max(...facts.map(([name]) => name.length));
  return facts.map(([name, value]) => `${name.padEnd(width)}  ${value}`).join('\n');
}

export function timeOf(ms: number): string;
export function timeOf(ms: number | undefined): string | undefined;
export function timeOf(ms: number | undefined): string | undefined {
  return ms === undefined ? undefined : new Date(ms).toISOString();
}

function noteOf(status: Status): string {
  const everything = status.matchesEveryCompany === true ? ['gets the events of all companies'] : [];
  const filter = status.invalidFilter === undefined ? [] : ['its filter is invalid and not used'];
  return [stateNoteOf(status), ...everything, ...filter].filter((note) => note !== '').join('; ');
}

function stateNoteOf({ customer, state, awaitsApproval, worker, disabledBy, runBy, failing }: Status): string {
  if (awaitsApproval === true && state === 'paused') return `awaits approval: databridge approve ${customer}`;
  if (disabledBy === 'operator') return 'disabled by an operator';
  if (failing !== undefined) return `can't run: ${failing}`;
  if (state === 'active' && runBy === undefined) return 'no worker runs it';
  if (worker === undefined) return '';
  if (state === 'disabled') return `disabled: ${worker.disabledBecause ?? 'unknown'}`;
  if (worker.waitUntilMs !== undefined && worker.waitUntilMs > systemClock.nowMs()) {
    return `waits until ${timeOf(worker.waitUntilMs)}, as its destination asked`;
  }
  if (worker.held !== undefined) return `waits: ${worker.held.because} (${worker.held.detail})`;
  return worker.breaker === 'closed' ? '' : `breaker ${worker.breaker}`;
}

export function formatRewind(rewind: Rewind, isDryRun: boolean): string {
  const { customer, again, firstAtMs, lastAtMs, deleted, waitingInRetry, skipped, partitions } = rewind;
  const will = isDryRun ? 'would be' : 'are';
  const lines = [
    `${customer}: ${again} records ${will} delivered again${again > 0 ? `, written ${timeOf(firstAtMs)} to ${timeOf(lastAtMs)}` : ''}.`,
    ...partitions.map(({ partition, from, to }) => `  partition ${partition}: offset ${from} to ${to}`),
    ...(deleted > 0 ? [`  At most ${deleted} more are deleted already.`] : []),
    ...(waitingInRetry > 0 ? [`  ${waitingInRetry} of the events also wait in a retry lane.`] : []),
    ...(skipped > 0 ? [`  ${skipped} records that are not delivered ${will} skipped.`] : []),
  ];
  return lines.join('\n');
}

/** One line per attempt. */
export function formatAttempt(customer: string, attempt: Attempt): string {
  const { at, outcome, status, eventId, attempt: nth, lane, durationMs } = attempt;
  const parts = [timeOf(at), customer, outcome, status ?? '-', eventId, `attempt ${nth}`, lane, `${durationMs} ms`];
  const reason = reasonOf(attempt);
  return [...parts, ...(reason === '' ? [] : [reason])].join('  ');
}

/** Operators also get the addresses that were tried. */
export function reasonOf({ error, note, operatorDetail }: Pick<Attempt, 'error' | 'note' | 'operatorDetail'>): string {
  const reason = [error, note].filter((one) => one !== undefined).join('  ');
  return operatorDetail === undefined ? reason : `${reason} [${operatorDetail}]`;
}

/**
 * @param quarantined intake records in the quarantine; undefined: the caller may not know
 * @param intake what left no copy behind; undefined: the caller may not know
 */
export function formatReconciliations(
  reconciliations: readonly Reconciliation[],
  quarantined?: number,
  intake?: Intake,
): string {
  const headings = [
    'CUSTOMER',
    'WRITTEN',
    'DELIVERED',
    'WAITING',
    'DEAD',
    'REMOVED',
    'SKIPPED',
    'ERASED',
    'SETTLED',
    'UNACCOUNTED',
  ];
  const rows = reconciliations.map((one) => [
    one.customer,
    one.written,
    one.delivered,
    one.waiting,
    one.dead,
    one.removed,
    one.skipped,
    one.erased,
    one.settled,
    one.unaccounted.length,
  ]);
  const named = reconciliations.flatMap(({ customer, unaccounted }) => [
    ...unaccounted.slice(0, MAX_NAMED).map(({ eventId, source, replayId }) => {
      return `${customer}: ${eventId} from ${source ?? '?'}${replayId === undefined ? '' : `, replay ${replayId}`}`;
    }),
    ...(unaccounted.length > MAX_NAMED ? [`${customer}: and ${unaccounted.length - MAX_NAMED} more`] : []),
  ]);
  const verdict = named.length === 0 ? 'Every event is accounted for.' : `Not accounted for:\n${named.join('\n')}`;
  const aside =
    quarantined === undefined || quarantined === 0
      ? []
      : [`${quarantined} intake records are in the quarantine, so nobody got them: "databridge quarantine list".`];
  const legend = reconciliations.some(({ settled }) => settled > 0)
    ? ['SETTLED: done before the attempt log begins, which is kept for 7 days.']
    : [];
  return [formatTable(headings, rows), '', verdict, ...aside, ...withoutCopy(intake), ...legend].join('\n');
}

function withoutCopy(intake: Intake | undefined): string[] {
  if (intake?.sinceMs === undefined) return [];
  const { unmatched, filtered, sinceMs } = intake;
  return [
    `Since ${timeOf(sinceMs)}, ${unmatched} intake records went to no customer, and content filters excluded ${filtered} copies.`,
  ];
}

const sum = (counts: Readonly<Record<string, number>>) => Object.values(counts).reduce((total, one) => total + one, 0);
