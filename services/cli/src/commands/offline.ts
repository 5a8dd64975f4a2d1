/** What needs no API: keys and tokens before there is one, and the topics that it starts with. */
import { type Command, Option } from 'commander';
import type { Cli } from '../cli.ts';
import type { TokenChoice } from './offline-actions.ts';

/** @param keys the group of commands about keys */
export function addOffline(program: Command, keys: Command, cli: Cli): void {
  keys
    .command('generate')
    .description('write new keys in front of those in delivery.keys and control-plane.keys; asks no API')
    .requiredOption('--directory <directory>', 'where both files are, or are to be')
    .option('--name <name>', 'the name of the new keys; today’s date if left out')
    .action(async (options: { name?: string; directory: string }) =>
      (await import('./offline-actions.ts')).generateKeys(options),
    );
  program
    .command('tokens')
    .description('who may use the API')
    .command('generate')
    .description('print a new token, and the line that stands for it in API_TOKENS; asks no API')
    .requiredOption('--name <name>', 'whose it is, as the log names them')
    .addOption(
      new Option('--role <role>', 'what it may')
        .choices(['operator', 'reader', 'reader+payloads', 'customer'])
        .makeOptionMandatory(),
    )
    .option('--customer <customer>', 'with the role customer: which one')
    .action(async (choice: TokenChoice) => (await import('./offline-actions.ts')).generateToken(choice));
  program
    .command('topics')
    .description('the topics that the services themselves need')
    .command('create')
    .description('create those that are missing, compare the others with what they should be; asks Kafka, not the API')
    .action(async () => await (await import('./offline-actions.ts')).createTopics(cli));
}
