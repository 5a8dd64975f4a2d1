import type { Rehearsal } from '@databridge/schemas/api/types';
import type { Command } from 'commander';
import { type Cli, pathOf } from '../../cli.ts';
import { type OutputOptions, print, withOutput } from '../../output/output.ts';
import { formatTable } from '../../output/print.ts';

const MARKS = { passed: 'ok', failed: 'WRONG', skipped: 'skipped' } as const;

export function addRehearse(program: Command, cli: Cli): void {
  withOutput(
    program
      .command('rehearse')
      .description(
        'send test events of normal operation and of failures (duplicates, late, forged, large, a burst), and show which answers of the endpoint are wrong; exit code 1 if any is',
      )
      .argument('<customer>')
      .option('--event-type <name>', 'the event type; default: the first one of the customer'),
  ).action(async (customer: string, { eventType, ...options }: OutputOptions & { eventType?: string }) => {
    const body = eventType === undefined ? undefined : { eventType };
    const answer = await cli.api().post<Rehearsal>(pathOf(customer, 'rehearsals'), body);
    print(options, answer, () =>
      formatTable(
        ['CASE', 'RESULT', 'WHAT CAME'],
        answer.findings.map(({ case: name, verdict, text }) => [name, MARKS[verdict], text]),
      ),
    );
    if (answer.findings.some(({ verdict }) => verdict === 'failed')) cli.notWell();
  });
}
