/** What needs no API: keys and tokens before there is one, and the topics that it starts with. */

import { eventTypeVariables, kafkaVariables, readConfig } from '@databridge/kernel/config';
import { KafkaAdmin } from '@databridge/kernel/kafka/admin';
import { kafkaSettings } from '@databridge/kernel/kafka/settings';
import { ensureSystemTopics, formatMismatch } from '@databridge/kernel/kafka/system-topics';
import { createLogger } from '@databridge/kernel/log';
import { KeyRing } from '@databridge/kernel/secrets/key-ring';
import { type Role, Tokens } from '@databridge/kernel/secrets/tokens';
import { type Command, Option } from 'commander';
import { z } from 'zod';
import type { Cli } from '../cli.ts';
import { printLine } from '../print.ts';

const topicsVariables = z.object({
  ...kafkaVariables,
  /** Nothing but what a command prints, unless asked for. */
  LOG_LEVEL: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'silent']).default('silent'),
  /** As fan-out has it: its intake topics are created too, where producers have not done so. */
  ...eventTypeVariables,
});

/** @param keys the group of commands about the key ring */
export function addOffline(program: Command, keys: Command, cli: Cli): void {
  keys
    .command('generate')
    .description('print a new key for DATABRIDGE_KEYS; asks no API')
    .option('--name <name>', 'its name in the ring; today’s date if left out')
    .action(({ name }: { name?: string }) =>
      printLine(KeyRing.generate(name ?? `k${new Date().toISOString().slice(0, 10)}`)),
    );
  program
    .command('tokens')
    .description('who may use the API')
    .command('generate')
    .description('print a new token, and the line that stands for it in API_TOKENS; asks no API')
    .requiredOption('--name <name>', 'whose it is, as the log names them')
    .addOption(
      new Option('--role <role>', 'what it may').choices(['operator', 'reader', 'customer']).makeOptionMandatory(),
    )
    .option('--customer <customer>', 'with the role customer: which one')
    .action(generateToken);
  program
    .command('topics')
    .description('the topics that the services themselves need')
    .command('create')
    .description('create those that are missing, compare the others with what they should be; asks Kafka, not the API')
    .action(async () => await createTopics(cli));
}

interface TokenChoice {
  readonly name: string;
  readonly role: Role;
  readonly customer?: string;
}

/** The token to standard output, for its owner; the line for the control plane to standard error. */
function generateToken({ name, role, customer }: TokenChoice): void {
  const { token, line } = Tokens.generate(name, role, customer);
  process.stderr.write(`For API_TOKENS of the control plane:\n${line}\nThe token itself, shown this once:\n`);
  printLine(token);
}

async function createTopics(cli: Cli): Promise<void> {
  const config = readConfig(topicsVariables, cli.env);
  const log = createLogger('cli', config.LOG_LEVEL);
  const admin = new KafkaAdmin(kafkaSettings(config, 'databridge-cli', log));
  try {
    await admin.connect();
    const { created, mismatched } = await ensureSystemTopics(
      admin,
      config.EVENT_TYPES.map(({ topic }) => topic),
    );
    for (const topic of created) printLine(`created ${topic}`);
    if (created.length === 0) printLine('All topics are there.');
    for (const mismatch of mismatched) process.stderr.write(`${formatMismatch(mismatch)}\n`);
    if (mismatched.length > 0) cli.notWell();
  } finally {
    await admin.disconnect();
  }
}
