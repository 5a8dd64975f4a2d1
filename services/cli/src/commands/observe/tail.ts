import { Backoff, type BackoffLimits } from '@databridge/kernel/time/backoff';
import { pause } from '@databridge/kernel/time/pause';
import type { Attempt } from '@databridge/schemas/records/attempts';
import { UnreachableError } from '../../api/api-error.ts';
import { type Cli, pathOf } from '../../cli.ts';
import { formatOf, type OutputOptions, toYaml } from '../../output/output.ts';
import { formatAttempt, printLine } from '../../output/print.ts';

const BACKOFF: BackoffLimits = { firstMs: 500, longestMs: 10_000 };

/**
 * Runs until Ctrl-C. If the control plane becomes unavailable, it waits; `attempts` shows the attempts of that time.
 */
export async function tail(cli: Cli, customer: string | undefined, options: OutputOptions): Promise<void> {
  const api = cli.api();
  const ending = new AbortController();
  const end = () => ending.abort();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, end);
  const path = customer === undefined ? '/attempts/live' : pathOf(customer, 'attempts', 'live');
  const backoff = new Backoff(BACKOFF);
  let wasOpen = false;
  while (!ending.signal.aborted) {
    try {
      for await (const { event, data } of api.events(path, ending.signal, () => {
        if (!wasOpen) process.stderr.write('Waiting for attempts. Ctrl-C ends it.\n');
        wasOpen = true;
        backoff.reset();
      })) {
        if (event === 'attempt') show(JSON.parse(data) as ShownAttempt, customer, options);
      }
    } catch (error) {
      if (ending.signal.aborted) break;
      // If it never worked, the caller made a mistake, or there is no control plane.
      if (!(error instanceof UnreachableError) || !wasOpen) throw error;
      process.stderr.write(`${error.message}; trying again\n`);
      await pause(backoff.next(), { signal: ending.signal });
    }
  }
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.removeListener(signal, end);
}

type ShownAttempt = Attempt & { readonly customer?: string };

function show(attempt: ShownAttempt, asked: string | undefined, options: OutputOptions): void {
  const customer = attempt.customer ?? asked ?? '';
  const format = formatOf(options);
  if (format === 'json') printLine(JSON.stringify({ customer, ...attempt }));
  else if (format === 'yaml') process.stdout.write(`---\n${toYaml({ customer, ...attempt })}`);
  else printLine(formatAttempt(customer, attempt));
}
