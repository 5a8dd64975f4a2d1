import { systemClock } from '@databridge/kernel/time/clock';
import { pause } from '@databridge/kernel/time/pause';
import type { Attempt, ProducedEvent } from '@databridge/schemas/api/types';
import type { Command } from 'commander';
import { type Cli, pathOf } from '../../cli.ts';
import { readJson } from '../../files/read-input.ts';
import { formatOf, type OutputOptions, print, withOutput } from '../../output/output.ts';
import { formatAttempt, printLine } from '../../output/print.ts';
import { parseDuration } from '../../parse-arguments.ts';

interface ProduceOptions extends OutputOptions {
  readonly file: string;
  readonly eventId?: string;
  readonly eventType?: string;
  readonly wait?: number;
}

export function addProduce(program: Command, cli: Cli): void {
  withOutput(
    program
      .command('produce')
      .description(
        'write one event to the intake topic and follow it to each customer; exit code 1 unless every active one got it',
      )
      .requiredOption('-f, --file <file>', 'the event, as JSON; - is standard input')
      .option('--event-id <id>', 'the id by which receivers drop duplicates; generated if omitted')
      .option('--event-type <name>', 'the event type; may be omitted while there is only one besides notices')
      .option('--wait <time>', 'how long to wait for the deliveries, default 60s; 0s does not wait', parseDuration),
  ).action(async (options: ProduceOptions) => await produce(cli, options));
}

const WAIT_MS = 60_000;
const POLL_MS = 300;
/** After these nothing more is sent for the event: the others are followed by another attempt. */
const FINAL: ReadonlySet<string> = new Set(['delivered', 'refused', 'gone', 'skipped']);

async function produce(cli: Cli, options: ProduceOptions): Promise<void> {
  const { eventId, eventType, wait = WAIT_MS } = options;
  const body = {
    event: readJson(options.file),
    ...(eventId !== undefined && { eventId }),
    ...(eventType !== undefined && { eventType }),
  };
  const produced = await cli.api().post<ProducedEvent>('/events', body);
  const isForPeople = formatOf(options) === 'table';
  if (isForPeople) printLine(inWords(produced));
  const active = produced.customers.filter(({ state }) => state === 'active').map(({ customer }) => customer);
  const attempts = new Map<string, readonly Attempt[]>(active.map((customer) => [customer, []]));
  if (wait > 0) await follow(cli, { ...produced, withinMs: wait, isShown: isForPeople }, attempts);
  const customers = produced.customers.map((one) => ({ ...one, attempts: attempts.get(one.customer) ?? [] }));
  if (!isForPeople) print(options, { ...produced, customers }, String);
  if (wait === 0) return;
  const missing = active.filter((customer) => attempts.get(customer)?.at(-1)?.outcome !== 'delivered');
  for (const customer of missing.filter((name) => !isOver(attempts.get(name) ?? []))) {
    process.stderr.write(
      `${customer}: not delivered within ${wait / 1_000} s. "databridge attempts ${customer} --event ${produced.eventId}" shows what happens to it.\n`,
    );
  }
  if (missing.length > 0 || produced.customers.length === 0) cli.notWell();
}

function inWords({ eventId, eventType, topic, customers }: ProducedEvent): string {
  const written = `${eventId} (${eventType}) is written to ${topic}`;
  if (customers.length === 0) return `${written}. No customer's match and filter accept it, so nobody receives it.`;
  const waiting = customers.filter(({ state }) => state !== 'active');
  return [
    `${written}, for ${customers.map(({ customer }) => customer).join(', ')}.`,
    ...waiting.map(({ customer, state }) => `${customer} is ${state}: the event waits for it.`),
  ].join('\n');
}

interface Followed {
  readonly eventId: string;
  /** Attempts at events from other places are omitted. */
  readonly source: string;
  readonly withinMs: number;
  readonly isShown: boolean;
}

/** Fills in the attempts, the oldest first, until each customer's last one is final or the time is over. */
async function follow(
  cli: Cli,
  { eventId, source, withinMs, isShown }: Followed,
  attempts: Map<string, readonly Attempt[]>,
): Promise<void> {
  const api = cli.api();
  const endAtMs = systemClock.monotonicMs() + withinMs;
  for (;;) {
    for (const [customer, seen] of attempts) {
      if (isOver(seen)) continue;
      const all = (await api.list<Attempt>(pathOf(customer, 'attempts'), { eventId })).reverse();
      const own = all.filter((one) => one.source === source);
      attempts.set(customer, own);
      if (isShown) for (const attempt of own.slice(seen.length)) printLine(formatAttempt(customer, attempt));
    }
    if ([...attempts.values()].every(isOver) || systemClock.monotonicMs() > endAtMs) return;
    await pause(POLL_MS);
  }
}

const isOver = (attempts: readonly Attempt[]) => FINAL.has(attempts.at(-1)?.outcome ?? '');
