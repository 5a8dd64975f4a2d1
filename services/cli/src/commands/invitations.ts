/** Links by which customers enter secrets, or set themselves up. */
import { DatabridgeError } from '@databridge/kernel/errors';
import type {
  Invitation,
  ListedSubscription,
  NewInvitation,
  Routes,
  Subscription,
} from '@databridge/schemas/api/types';
import type { Command } from 'commander';
import { type Cli, pathOf } from '../cli.ts';
import { operate } from '../operation.ts';
import { type OutputOptions, print, printsList, withOutput } from '../output/output.ts';
import { formatFacts, printLine, timeOf } from '../output/print.ts';
import { mustConfirm } from '../output/terminal.ts';
import { destinationColumns } from './destination-columns.ts';

interface InviteChoice extends OutputOptions {
  readonly secret?: string[];
  readonly setup?: boolean;
  readonly eventType?: string[];
  readonly company?: string[];
  readonly organisation?: string[];
  readonly folder?: string[];
  readonly filter?: string;
  readonly section?: string[];
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
      .option(
        '--secret <place...>',
        'secrets to be entered, such as authentication.password; tls.clientKey for a client certificate by request',
      )
      .option('--setup', 'the customer states destination, authentication and rate; events flow once it is approved')
      .option('--event-type <type...>', 'with --setup: the event types that it gets; default: root-cause')
      .option('--company <company...>', 'with --setup: the companies whose events it gets')
      .option('--organisation <organisation...>', 'with --setup: only events whose organisation is one of these')
      .option('--folder <folder...>', 'with --setup: only events whose folder is one of these')
      .option('--filter <expression>', 'with --setup: only events that pass it; the customer may narrow it later')
      .option('--section <section...>', 'with --setup: only these sections of each event; default: all')
      .option(
        '--host <host...>',
        'with --setup: hosts that the customer may name; *.example.com means all hosts below it',
      )
      .option('--reason <text>', 'shown to the person who is invited')
      .option('--life <time>', 'how long the link is valid: at most 7d, default 72h'),
  ).action(async (customer: string, choice: InviteChoice) => {
    const made = await cli.api().post<NewInvitation>('/invitations', { customer, ...bodyOf(choice) });
    print(choice, made, () => formatInvited(made));
  });
  const group = program.command('invitations').description('links by which customers enter secrets');
  printsList(
    group.command('list').description('list all invitations, the newest first'),
    async () => (await cli.api().get<Routes['GET /v1/invitations']['answer']>('/invitations')).items,
    {
      ID: ({ id }) => id,
      CUSTOMER: ({ customer }) => customer,
      FOR: ({ kind, places }) => (kind === 'setup' ? 'set-up' : places.join(', ')),
      BY: ({ by }) => by,
      STATE: ({ state }) => state,
      'WRONG CODES': ({ failures }) => failures,
      'GOOD UNTIL': ({ expiresAtMs }) => timeOf(expiresAtMs),
    },
  );
  withOutput(
    group
      .command('renew')
      .description('make a new link and code for an invitation that was not answered')
      .argument('<id>', 'as the list shows it')
      .option('--life <time>', 'how long the link is valid: at most 7d, default 72h'),
  ).action(async (id: string, { life, ...options }: OutputOptions & { life?: string }) => {
    const path = `/invitations/${encodeURIComponent(id)}/renew`;
    const made = await cli.api().post<NewInvitation>(path, { ...(life !== undefined && { life }) });
    print(options, made, () => formatInvited(made));
  });
  group
    .command('revoke')
    .description('revoke an invitation: its link becomes invalid')
    .argument('<id>', 'as the list shows it')
    .action(async (id: string) => {
      const { customer } = await cli.api().post<Invitation>(`/invitations/${encodeURIComponent(id)}/revoke`);
      printLine(`${customer}: the link is good for nothing from now on.`);
    });
  program
    .command('approve')
    .description('approve the set-up that a customer entered by an invitation: events flow to it')
    .argument('<customer...>')
    .action(async (customers: string[]) => {
      for (const customer of customers) {
        const { state } = await cli.api().post<{ state: string }>(pathOf(customer, 'approve'));
        printLine(
          state === 'disabled'
            ? `${customer}: approved, and still disabled: "databridge enable ${customer}" starts it.`
            : `${customer}: approved; events flow.`,
        );
      }
    });
  program
    .command('decline')
    .description('delete the set-up that a customer entered by an invitation, before it is approved')
    .argument('<customer>')
    .option('-y, --yes', 'do not ask for confirmation; needed where there is no terminal')
    .action(async (customer: string, { yes = false }: { yes?: boolean }) => await decline(cli, customer, yes));
  printsList(
    program.command('approvals').description('list the set-ups that customers entered and nobody has approved yet'),
    async () => await cli.api().list<ListedSubscription>('/subscriptions', { awaitsApproval: true }),
    async () => ({ CUSTOMER: ({ customer }) => customer, ...(await destinationColumns()) }),
  );
}

async function decline(cli: Cli, customer: string, yes: boolean): Promise<void> {
  const api = cli.api();
  const { etag, body } = await api.call<Subscription>('GET', pathOf(customer));
  if (body.awaitsApproval !== true) {
    throw new DatabridgeError(
      'DB_CONFLICT',
      `${customer} does not await approval; "databridge subscriptions delete ${customer}" deletes it all the same`,
    );
  }
  await mustConfirm(`Delete what ${customer} stated, its secrets included?`, yes);
  // If it was approved in the meantime, it may differ from the version that was shown.
  const headers = { 'if-match': etag ?? '*' };
  await operate(api, 'DELETE', pathOf(customer), { query: { waiting: 'discard' }, headers });
  printLine(`${customer}: declined; what it stated is deleted.`);
}

/** @throws {DatabridgeError} DB_INPUT_INVALID */
function bodyOf(choice: InviteChoice): object {
  const { secret, setup = false, company, host, reason, life } = choice;
  if ((secret === undefined) === !setup) {
    throw new DatabridgeError('DB_INPUT_INVALID', 'Give either --secret with places, or --setup');
  }
  if (setup && company === undefined) {
    throw new DatabridgeError('DB_INPUT_INVALID', '--setup needs --company: whose events the customer gets');
  }
  const given = GRANTED.filter((name) => choice[name] !== undefined);
  if (!setup && given.length > 0) {
    throw new DatabridgeError(
      'DB_INPUT_INVALID',
      `--${given[0]?.replace('eventType', 'event-type')} goes with --setup`,
    );
  }
  return {
    ...(secret !== undefined && { secrets: secret }),
    ...(setup && { setup: grantOf(choice) }),
    ...(host !== undefined && { hosts: host }),
    ...(reason !== undefined && { reason }),
    ...(life !== undefined && { life }),
  };
}

/** The settings that belong to operators. */
const GRANTED = ['eventType', 'company', 'organisation', 'folder', 'filter', 'section'] as const;

function grantOf({ eventType, company, organisation, folder, filter, section }: InviteChoice): object {
  return {
    eventTypes: eventType ?? ['root-cause'],
    match: { company, organisation, folder },
    ...(filter !== undefined && { filter }),
    ...(section !== undefined && { sections: section }),
  };
}

function formatInvited({ id, link, code, expiresAtMs }: NewInvitation): string {
  const facts = formatFacts([
    ['link', link],
    ['code', code],
    ['good until', timeOf(expiresAtMs)],
    ['id', id],
  ]);
  return `${facts}\nBoth are shown this once. Send the link by mail, and tell the code by another channel, such as the telephone.`;
}
