import type { Reconciliation } from '@databridge/control-plane/reconcile';
import type { CustomerStatus } from '@databridge/control-plane/status';

export function printLine(text = ''): void {
  process.stdout.write(`${text}\n`);
}

export function printJson(value: unknown): void {
  printLine(JSON.stringify(value, null, 2));
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

export function formatStatuses(statuses: readonly CustomerStatus[]): string {
  if (statuses.length === 0) return 'No customers. "databridge apply -f subscriptions.yaml" brings some.';
  const headings = ['CUSTOMER', 'STATE', 'DELIVERED', 'FAILED', 'MAIN LAG', 'RETRY LAG', 'DEAD', 'NOTE'];
  const rows = statuses.map((one) => {
    const { main = 0, ...retries } = one.lagByLane;
    const { delivered = 0, ...failures } = one.attempts;
    return [one.customer, one.state, delivered, sum(failures), main, sum(retries), one.deadRecords, noteOf(one)];
  });
  return `${formatTable(headings, rows)}\n\nDelivered and failed are attempts of the last 24 hours.`;
}

function noteOf({ state, worker }: CustomerStatus): string {
  if (worker === undefined) return '';
  if (state === 'disabled') return `disabled: ${worker.disabledBecause ?? 'unknown'}`;
  if (worker.held !== undefined) return `waits: ${worker.held.because} (${worker.held.detail})`;
  return worker.breaker === 'closed' ? '' : `breaker ${worker.breaker}`;
}

const MAX_NAMED = 20;

export function formatReconciliations(reconciliations: readonly Reconciliation[]): string {
  const headings = ['CUSTOMER', 'WRITTEN', 'DELIVERED', 'WAITING', 'DEAD', 'REMOVED', 'UNACCOUNTED'];
  const rows = reconciliations.map((one) => [
    one.customer,
    one.written,
    one.delivered,
    one.waiting,
    one.dead,
    one.removed,
    one.unaccounted.length,
  ]);
  const named = reconciliations.flatMap(({ customer, unaccounted }) => [
    ...unaccounted.slice(0, MAX_NAMED).map(({ eventId, source }) => `${customer}: ${eventId} from ${source ?? '?'}`),
    ...(unaccounted.length > MAX_NAMED ? [`${customer}: and ${unaccounted.length - MAX_NAMED} more`] : []),
  ]);
  const verdict = named.length === 0 ? 'Every event is accounted for.' : `Not accounted for:\n${named.join('\n')}`;
  return `${formatTable(headings, rows)}\n\n${verdict}`;
}

const sum = (counts: Readonly<Record<string, number>>) => Object.values(counts).reduce((total, one) => total + one, 0);
