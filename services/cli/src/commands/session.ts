import { DatabridgeError } from '@databridge/kernel/errors';
import type { Command } from 'commander';
import { ApiClient } from '../api/api-client.ts';
import type { Cli } from '../cli.ts';
import { forgetConnection, isHttpUrl, keepConnection } from '../credentials.ts';
import { printLine } from '../output/print.ts';
import { readSecret } from '../output/terminal.ts';

export function addSession(program: Command, { env }: Cli): void {
  program
    .command('login')
    .description('store the address of the API and a token, which is read from standard input or typed at a prompt')
    .argument('<url>', 'where the control plane’s API is, such as https://databridge.example')
    .action(async (url: string) => {
      if (!isHttpUrl(url)) throw new DatabridgeError('DB_INPUT_INVALID', `${url} is not an http(s) address`);
      const connection = { url, token: (await readSecret(`Token for ${url}: `)).trim() };
      // What does not work is not kept.
      await new ApiClient(connection).get('/subscriptions', { limit: 1 });
      const file = keepConnection(env, connection);
      printLine(`You are known at ${url}. The token is in ${file}, which only you may read.`);
    });
  program
    .command('logout')
    .description('delete the stored token')
    .action(() => printLine(forgetConnection(env) ? 'Forgotten.' : 'There was nothing to forget.'));
}
