/** Links by which customers enter secrets, or set themselves up. */
import { DatabridgeError } from '@databridge/kernel/errors';
import type { Command } from 'commander';
import { type Cli, pathOf } from '../cli.ts';
import { type OutputOptions, print, withOutput } from '../output/output.ts';
import { formatFacts, formatTable, printLine, timeOf } from '../output/print.ts';

interface ShownInvitation {
  readonly id: string;
  readonly customer: string;
  readonly kind: 'secrets' | 'setup';
  readonly places: readonly string[];
  readonly by: string;
  readonly expiresAtMs: number;
  readonly state: string;
  readonly failures: number;
}

interface NewInvitation extends ShownInvitation {
  readonly link: string;
  readonly code: string;
}

interface InviteChoice extends OutputOptions {
  readonly secret?: string[];
  readonly setup?: boolean;
  readonly eventType?: string[];
  readonly company?: string[];
  readonly host?: string[];
  readonly reason?: string;
  readonly life?: string;
}

export function addInvitations(program: Command, cli: Cli): void {
  withOutput(
    program
      .command('invite')
      .description('make a link by which a customer enters secrets, or sets itself up, and the code that opens it')
      .argument('<customer>')
      .option('--secret <place...>', 'secrets to be entered, such as authentication.password')
      .option('--setup', 'the customer states destination, authentication and rate; events flow once it is approved')
      .option('--event-type <type...>', 'with --setup: what it gets; root-cause if left out')
      .option('--company <company...>', 'with --setup: whose events it gets')
      .option('--host <host...>', 'with --setup: hosts that it may name, *.example.com for all below')
      .option('--reason <text>', 'shown to the one who is invited')
      .option('--life <time>', 'how long the link is good: 72h if left out, 7d at most'),
  ).action(async (customer: string, choice: InviteChoice) => {
    const made = await cli.api().post<NewInvitation>('/invitations', { customer, ...bodyOf(choice) });
    print(choice, made, () => formatInvited(made));
  });
  const group = program.command('invitations').description('links by which customers enter secrets');
  withOutput(group.command('list').description('all of them, the newest first')).action(
    async (options: OutputOptions) => {
      const { items } = await cli.api().get<{ items: ShownInvitation[] }>('/invitations');
      print(options, items, () => formatInvitations(items));
    },
  );
  withOutput(
    group
      .command('renew')
      .description('a new link and code in the place of one that was not answered')
      .argument('<id>', 'as the list shows it')
      .option('--life <time>', 'how long the link is good: 72h if left out, 7d at most'),
  ).action(async (id: string, { life, ...options }: OutputOptions & { life?: string }) => {
    const path = `/invitations/${encodeURIComponent(id)}/renew`;
    const made = await cli.api().post<NewInvitation>(path, { ...(life !== undefined && { life }) });
    print(options, made, () => formatInvited(made));
  });
  group
    .command('revoke')
    .description('make a link good for nothing')
    .argument('<id>', 'as the list shows it')
    .action(async (id: string) => {
      const { customer } = await cli.api().post<ShownInvitation>(`/invitations/${encodeURIComponent(id)}/revoke`);
      printLine(`${customer}: the link is good for nothing from now on.`);
    });
  program
    .command('approve')
    .description('let events flow to what a customer stated by an invitation')
    .argument('<customer...>')
    .action(async (customers: string[]) => {
      for (const customer of customers) {
        await cli.api().post(pathOf(customer, 'approve'));
        printLine(`${customer}: approved; events flow.`);
      }
    });
}

/** @throws {DatabridgeError} DB_INPUT_INVALID */
function bodyOf({ secret, setup = false, eventType, company, host, reason, life }: InviteChoice): object {
  if ((secret === undefined) === !setup) {
    throw new DatabridgeError('DB_INPUT_INVALID', 'Give either --secret with places, or --setup');
  }
  if (setup && company === undefined) {
    throw new DatabridgeError('DB_INPUT_INVALID', '--setup needs --company: whose events the customer gets');
  }
  return {
    ...(secret !== undefined && { secrets: secret }),
    ...(setup && { setup: { eventTypes: eventType ?? ['root-cause'], match: { company } } }),
    ...(host !== undefined && { hosts: host }),
    ...(reason !== undefined && { reason }),
    ...(life !== undefined && { life }),
  };
}

function formatInvited({ id, link, code, expiresAtMs }: NewInvitation): string {
  const facts = formatFacts([
    ['link', link],
    ['code', code],
    ['good until', timeOf(expiresAtMs) ?? ''],
    ['id', id],
  ]);
  return `${facts}\nBoth are shown this once. Send the link by mail, and tell the code by another channel, such as the telephone.`;
}

function formatInvitations(items: readonly ShownInvitation[]): string {
  if (items.length === 0) return 'None.';
  return formatTable(
    ['ID', 'CUSTOMER', 'FOR', 'BY', 'STATE', 'WRONG CODES', 'GOOD UNTIL'],
    items.map(({ id, customer, kind, places, by, state, failures, expiresAtMs }) => [
      ...[id, customer, kind === 'setup' ? 'set-up' : places.join(', '), by, state],
      ...[failures, timeOf(expiresAtMs) ?? ''],
    ]),
  );
}
