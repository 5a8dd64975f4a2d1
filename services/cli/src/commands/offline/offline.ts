/** Commands that need no API: keys and tokens before there is one, and the topics that it needs to start. */
import { type Command, Option } from 'commander';
import type { Cli } from '../../cli.ts';
import type { TokenChoice } from './offline-actions.ts';

/** @param keys the group of commands about keys */
export function addOffline(program: Command, keys: Command, cli: Cli): void {
  keys
    .command('generate')
    .description('add new keys to delivery.keys and control-plane.keys, before the existing ones; does not use the API')
    .requiredOption('--directory <directory>', 'the directory of both files; it is created if missing')
    .option('--name <name>', 'the name of the new keys; default: today’s date')
    .action(async (options: { name?: string; directory: string }) =>
      (await import('./offline-actions.ts')).generateKeys(options),
    );
  program
    .command('tokens')
    .description('tokens for the API')
    .command('generate')
    .description('print a new token, and its line for API_TOKENS; does not use the API')
    .requiredOption('--name <name>', 'the name of its holder in logs')
    .addOption(
      new Option('--role <role>', 'the role of the token')
        .choices(['operator', 'reader', 'reader+payloads', 'customer'])
        .makeOptionMandatory(),
    )
    .option('--customer <customer>', 'the customer; required with the role customer')
    .action(async (choice: TokenChoice) => (await import('./offline-actions.ts')).generateToken(choice));
  program
    .command('topics')
    .description('topics that the services need for themselves')
    .command('create')
    .description('create missing topics, and compare the settings of the others; uses Kafka, not the API')
    .action(async () => await (await import('./offline-actions.ts')).createTopics(cli));
}
