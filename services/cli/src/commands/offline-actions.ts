/** What the commands of offline.ts do: apart from them, since its imports take most of a start's time. */
import { eventTypeVariables, kafkaVariables, readConfig } from '@databridge/kernel/config';
import { KafkaAdmin } from '@databridge/kernel/kafka/admin';
import { kafkaSettings } from '@databridge/kernel/kafka/settings';
import { ensureSystemTopics, formatMismatch } from '@databridge/kernel/kafka/system-topics';
import { createLogger } from '@databridge/kernel/log';
import { KeyRing } from '@databridge/kernel/secrets/key-ring';
import { type TokenRole, Tokens } from '@databridge/kernel/secrets/tokens';
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

export function generateKey({ name }: { name?: string }): void {
  printLine(KeyRing.generate(name ?? `k${new Date().toISOString().slice(0, 10)}`));
}

export interface TokenChoice {
  readonly name: string;
  readonly role: TokenRole;
  readonly customer?: string;
}

/** The token to standard output, for its owner; the line for the control plane to standard error. */
export function generateToken({ name, role, customer }: TokenChoice): void {
  const { token, line } = Tokens.generate(name, role, customer);
  process.stderr.write(`For API_TOKENS of the control plane:\n${line}\nThe token itself, shown this once:\n`);
  printLine(token);
}

export async function createTopics(cli: Cli): Promise<void> {
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
