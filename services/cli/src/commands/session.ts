import { DatabridgeError } from '@databridge/kernel/errors';
import type { Me, Routes } from '@databridge/schemas/api/types';
import type { Command } from 'commander';
import { ApiClient } from '../api/api-client.ts';
import type { Cli } from '../cli.ts';
import { forgetConnection, isHttpUrl, keepConnection } from '../credentials.ts';
import { type OutputOptions, print, printsList, withOutput } from '../output/output.ts';
import { formatFacts, printLine, timeOf } from '../output/print.ts';
import { readSecret } from '../output/terminal.ts';

export function addSession(program: Command, cli: Cli): void {
  const { env } = cli;
  program
    .command('login')
    .description('store the address of the API and a token, which is read from standard input or typed at a prompt')
    .argument('<url>', 'where the control plane’s API is, such as https://databridge.example')
    .action(async (url: string) => {
      if (!isHttpUrl(url)) throw new DatabridgeError('DB_INPUT_INVALID', `${url} is not an http(s) address`);
      const connection = { url, token: (await readSecret(`Token for ${url}: `)).trim() };
      // Credentials that do not work are not stored.
      await new ApiClient(connection).get('/subscriptions', { limit: 1 });
      const file = keepConnection(env, connection);
      printLine(`You are known at ${url}. The token is in ${file}, which only you may read.`);
    });
  program
    .command('logout')
    .description('delete the stored token')
    .action(() => printLine(forgetConnection(env) ? 'Forgotten.' : 'There was nothing to forget.'));
  withOutput(program.command('whoami').description('show the name, the role and the rights of the token')).action(
    async (options: OutputOptions) => {
      const me = await cli.api().get<Me>('/me');
      print(options, me, () => formatMe(me));
    },
  );
  addPortalSessions(program, cli);
}

const RIGHTS = {
  oversee: 'see what concerns all customers',
  act: 'change what belongs to a customer',
  operate: 'change what belongs to operators',
  payload: 'read the content of events',
} as const;

const whose = ({ role, customer }: Pick<Me, 'role' | 'customer'>) =>
  customer === undefined ? role : `${role} of ${customer}`;

function formatMe({ name, may, ...rest }: Me): string {
  const rights = Object.entries(RIGHTS).filter(([right]) => may[right as keyof typeof RIGHTS]);
  return formatFacts([
    ['name', name],
    ['role', whose(rest)],
    ['may', rights.map(([, words]) => words).join(', ') || 'only read'],
  ]);
}

function addPortalSessions(program: Command, cli: Cli): void {
  const group = program.command('sessions').description('who is signed in to the portal');
  printsList(
    group.command('list').description('list sessions that are not over: operators see all, everybody else their own'),
    async () => (await cli.api().get<Routes['GET /v1/sessions']['answer']>('/sessions')).items,
    {
      ID: ({ id }) => id,
      NAME: ({ name }) => name,
      ROLE: whose,
      BY: ({ by }) => by,
      BEGAN: ({ createdAtMs }) => timeOf(createdAtMs),
      ENDS: ({ expiresAtMs }) => timeOf(expiresAtMs),
    },
  );
  group
    .command('link')
    .description('make a link that signs you in to the portal, once, within ten minutes')
    .action(async () => {
      const api = cli.api();
      const { path, expiresAtMs } = await api.post<{ path: string; expiresAtMs: number }>('/sessions/links');
      printLine(`${api.url}${path}\nGood once, until ${timeOf(expiresAtMs)}.`);
    });
  group
    .command('revoke')
    .description('end a session of the portal')
    .argument('<id>', 'as the list shows it')
    .action(async (id: string) => {
      await cli.api().call('DELETE', `/sessions/${encodeURIComponent(id)}`);
      printLine('The session has ended.');
    });
}
