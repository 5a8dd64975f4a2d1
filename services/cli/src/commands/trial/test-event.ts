import type { Command } from 'commander';
import { type Cli, pathOf } from '../../cli.ts';
import { type OutputOptions, print, withOutput } from '../../output/output.ts';
import { formatFacts } from '../../output/print.ts';

type TestAnswer = Readonly<Record<string, unknown>> & { readonly outcome?: string };

export function addTest(program: Command, cli: Cli): void {
  withOutput(
    program
      .command('test')
      .description(
        'send a sample event to a customer, and show what its destination answered; exit code 1 if it was refused',
      )
      .argument('<customer>')
      .option('--event-type <name>', 'the event type; default: the first one of the customer'),
  ).action(async (customer: string, { eventType, ...options }: OutputOptions & { eventType?: string }) => {
    const body = eventType === undefined ? undefined : { eventType };
    const answer = await cli.api().post<TestAnswer>(pathOf(customer, 'test'), body);
    print(options, answer, () => formatFacts(Object.entries(answer).map(([name, value]) => [name, textOf(value)])));
    if (answer.outcome !== 'delivered') cli.notWell();
  });
}

const textOf = (value: unknown) => (typeof value === 'string' ? value : JSON.stringify(value));
