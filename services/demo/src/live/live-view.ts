/** Shows the progress on a terminal as a table that is updated, elsewhere as plain lines. */
import { styleText } from 'node:util';
import Table from 'cli-table3';
import { createLogUpdate } from 'log-update';
import type { LogLine } from '../child.ts';
import type { CustomerSnapshot, Snapshot } from './observe.ts';
import { bar, indent } from './say.ts';

export interface Moment extends Snapshot {
  readonly elapsedMs: number;
  readonly produced: number;
  readonly toProduce: number;
}

export interface LiveView {
  show(moment: Moment): void;
  /** Receives an attempt that delivery logged. */
  attempt(line: LogLine): void;
  /** Leaves the last state on the screen; later updates do not change it. */
  end(): void;
}

export function liveView(stream: NodeJS.WriteStream): LiveView {
  return stream.isTTY ? new MovingTable(stream) : new PlainLines(stream);
}

const BAR_WIDTH = 20;
const RECENT_ATTEMPTS = 5;

class MovingTable implements LiveView {
  readonly #stream: NodeJS.WriteStream;
  readonly #update: ReturnType<typeof createLogUpdate>;
  readonly #recent: string[] = [];
  #isOver = false;

  constructor(stream: NodeJS.WriteStream) {
    this.#stream = stream;
    this.#update = createLogUpdate(stream);
  }

  show(moment: Moment): void {
    if (this.#isOver) return;
    this.#update(`${formatMoment(moment, this.#stream.columns)}\n${this.#ticker()}`);
  }

  attempt(line: LogLine): void {
    const text = formatAttempt(line);
    if (text === undefined) return;
    this.#recent.push(text);
    if (this.#recent.length > RECENT_ATTEMPTS) this.#recent.shift();
  }

  end(): void {
    this.#isOver = true;
    this.#update.done();
  }

  /** Returns a constant number of lines, so that the lines below don't move. */
  #ticker(): string {
    const lines = [...this.#recent, ...Array<string>(RECENT_ATTEMPTS - this.#recent.length).fill('')];
    return lines.map((line) => `  ${line}`).join('\n');
  }
}

const PLAIN_EVERY_MS = 2_000;

class PlainLines implements LiveView {
  readonly #stream: NodeJS.WriteStream;
  #shownAtMs = Number.NEGATIVE_INFINITY;
  #last: Moment | undefined;
  #isOver = false;

  constructor(stream: NodeJS.WriteStream) {
    this.#stream = stream;
  }

  show(moment: Moment): void {
    if (this.#isOver) return;
    this.#last = moment;
    if (moment.elapsedMs - this.#shownAtMs < PLAIN_EVERY_MS) return;
    this.#shownAtMs = moment.elapsedMs;
    this.#stream.write(`${formatPlain(moment)}\n`);
  }

  attempt(): void {}

  end(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    const isShown = this.#last === undefined || this.#last.elapsedMs === this.#shownAtMs;
    if (!isShown && this.#last !== undefined) this.#stream.write(`${formatPlain(this.#last)}\n`);
  }
}

function formatMoment(moment: Moment, width: number): string {
  const { produced, toProduce, matched, unmatched, quarantined, customers, elapsedMs } = moment;
  const dim = (text: string) => styleText('dim', text);
  const flow = [
    `${styleText('bold', `${produced}`)}${dim(`/${toProduce}`)} produced`,
    `${dim('─▶')} fan-out ${dim('─▶')} ${styleText('bold', String(matched))} matched`,
    `${dim('·')} ${unmatched} unmatched`,
    `${dim('·')} ${quarantined} quarantined`,
  ].join(' ');
  const columns = COLUMNS.filter(({ fromWidth = 0 }) => width >= fromWidth);
  const table = new Table({
    head: columns.map(({ head }) => head),
    colAligns: columns.map(({ align }) => align),
    style: { head: ['bold'], border: ['gray'], compact: true },
  });
  table.push(...customers.map((customer) => columns.map(({ cell }) => cell(customer))));
  const seconds = `${(elapsedMs / 1_000).toFixed(1)} s`;
  return `\n  ${flow}   ${dim(seconds)}\n\n${indent(table.toString())}\n`;
}

interface Column {
  readonly head: string;
  readonly align: 'left' | 'right';
  /** The column is left out on a narrower terminal (in characters). */
  readonly fromWidth?: number;
  cell(one: CustomerSnapshot): string;
}

const TONES = { healthy: 'green', 'fails now and then': 'yellow', down: 'red' } as const;
const alarming = (count: number, color: 'yellow' | 'red') => (count > 0 ? styleText(color, String(count)) : '0');

const COLUMNS: readonly Column[] = [
  { head: 'customer', align: 'left', cell: ({ customer }) => styleText('bold', customer) },
  { head: 'its endpoint', align: 'left', fromWidth: 118, cell: ({ temper }) => styleText(TONES[temper], temper) },
  { head: 'events', align: 'right', cell: ({ written }) => String(written) },
  {
    head: '',
    align: 'left',
    fromWidth: 97,
    // The smallest part first, so that one dead letter among hundreds is still seen.
    cell: ({ written, delivered, dead, waitingInMain, waitingInRetry }) =>
      bar(BAR_WIDTH, written, [
        [dead, 'red'],
        [delivered, 'green'],
        [waitingInMain + waitingInRetry, 'yellow'],
      ]),
  },
  { head: 'delivered', align: 'right', cell: ({ delivered }) => styleText('green', String(delivered)) },
  { head: 'waiting', align: 'right', cell: ({ waitingInMain }) => alarming(waitingInMain, 'yellow') },
  { head: 'in retry', align: 'right', cell: ({ waitingInRetry }) => alarming(waitingInRetry, 'yellow') },
  { head: 'dead', align: 'right', cell: ({ dead }) => alarming(dead, 'red') },
  { head: 'failures', align: 'right', fromWidth: 129, cell: ({ failures }) => String(failures) },
  {
    head: 'breaker',
    align: 'left',
    cell: ({ breaker }) => (breaker === 'closed' ? breaker : styleText('red', breaker)),
  },
];

/** Successful first attempts are left out: they are the rule, and too many to read. */
function formatAttempt(line: LogLine): string | undefined {
  const { customer, eventId, attempt, outcome, status, error, lane } = line;
  if (outcome === 'delivered' && attempt === 1) return undefined;
  // Of `ECONNREFUSED: connect ECONNREFUSED …` the name says enough.
  const answer = status === undefined ? String(error ?? '').split(':')[0] : String(status);
  const what =
    outcome === 'delivered'
      ? styleText('green', `${answer} delivered`)
      : outcome === 'refused'
        ? styleText('red', `${answer} refused: dead letter`)
        : styleText('yellow', `${answer}: to be tried again`);
  const from = lane === 'main' ? '' : styleText('dim', ` from lane ${String(lane)}`);
  const id = styleText('dim', String(eventId).slice(0, 8));
  return `${String(customer).padEnd(8)} ${id}  attempt ${String(attempt)}  ${what}${from}`;
}

function formatPlain({ elapsedMs, produced, toProduce, matched, unmatched, quarantined, customers }: Moment): string {
  const each = customers.map(({ customer, written, delivered, waitingInMain, waitingInRetry, dead, breaker }) => {
    const rest = [
      [waitingInMain, 'waiting'],
      [waitingInRetry, 'in retry'],
      [dead, 'dead'],
    ] as const;
    const words = rest.filter(([count]) => count > 0).map(([count, what]) => `${count} ${what}`);
    if (breaker !== 'closed') words.push(`breaker ${breaker}`);
    return `${customer} ${delivered}/${written} delivered${words.map((word) => `, ${word}`).join('')}`;
  });
  const flow = `produced ${produced}/${toProduce}, matched ${matched}, unmatched ${unmatched}, quarantined ${quarantined}`;
  return `  ${(elapsedMs / 1_000).toFixed(1).padStart(5)} s  ${flow} | ${each.join(' | ')}`;
}
