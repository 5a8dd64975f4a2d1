import { setImmediate } from 'node:timers/promises';
import { systemClock } from './time/clock.ts';

/** Adds one series for the current row. */
export type AddSeries = (
  value: number | undefined,
  /**
   * Labels in addition to those of the row, as `name="value"` separated by commas; values without `"`, `\` and line
   * breaks.
   */
  labels?: string,
) => void;

/** One metric with series for each row. A row whose value is undefined has no series. */
export interface SeriesFamily<Row> {
  readonly name: `databridge_${string}`;
  readonly type: 'counter' | 'gauge';
  readonly help: string;
  readonly write: (row: Row, add: AddSeries) => void;
}

export interface SeriesTable {
  readonly families: readonly Pick<SeriesFamily<unknown>, 'name'>[];
  /** @param labels of the service, as `name="value"` */
  parts(labels: string): AsyncGenerator<string>;
}

/** The longest time of writing in ms before other work gets its turn. */
const TURN_MS = 5;

/**
 * Writes series of thousands of customers in the format of Prometheus, in turns of bounded time. prom-client blocks the
 * event loop for 0.7 s with 10,000 customers: heartbeats and deliveries would wait.
 * @param rows computed when Prometheus scrapes; their labels as `,name="value"`, or nothing
 */
export function seriesTable<Row>(
  families: readonly SeriesFamily<Row>[],
  rows: () => Iterable<readonly [labels: string, row: Row]>,
): SeriesTable {
  return {
    families,
    async *parts(labels) {
      let turnEndsAtMs = systemClock.monotonicMs() + TURN_MS;
      const rest = async () => {
        await setImmediate();
        turnEndsAtMs = systemClock.monotonicMs() + TURN_MS;
      };
      const made: [labels: string, row: Row][] = [];
      for (const [own, row] of rows()) {
        made.push([`{${labels}${own}`, row]);
        if (systemClock.monotonicMs() > turnEndsAtMs) await rest();
      }
      for (const { name, type, help, write } of families) {
        let text = `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n`;
        let prefix = '';
        const add: AddSeries = (value, more) => {
          if (value !== undefined) text += `${name}${prefix}${more === undefined ? '' : `,${more}`}} ${value}\n`;
        };
        for (const [own, row] of made) {
          prefix = own;
          write(row, add);
          if (systemClock.monotonicMs() <= turnEndsAtMs) continue;
          yield text;
          text = '';
          await rest();
        }
        yield text;
      }
    },
  };
}
