/** The actions of the commands in offline.ts: in a file of their own, since its imports take most of a start's time. */

import { existsSync } from 'node:fs';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabridgeError, messageOf } from '@databridge/kernel/errors';
import { KafkaAdmin } from '@databridge/kernel/kafka/admin/admin';
import { kafkaSettings } from '@databridge/kernel/kafka/settings';
import { ensureSystemTopics, formatMismatch } from '@databridge/kernel/kafka/system-topics';
import { createLogger } from '@databridge/kernel/log';
import { generateKeySet, parseKeySet } from '@databridge/kernel/secrets/key-set';
import { type TokenRole, Tokens } from '@databridge/kernel/secrets/tokens';
import { eventTypeVariables, kafkaVariables, readConfig } from '@databridge/kernel/settings/config';
import { systemClock } from '@databridge/kernel/time/clock';
import { z } from 'zod';
import type { Cli } from '../../cli.ts';
import { printLine } from '../../output/print.ts';

const topicsVariables = z.object({
  ...kafkaVariables,
  /** Only the output of a command is printed, unless more is requested. */
  LOG_LEVEL: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'silent']).default('silent'),
  /** As fan-out has it: its intake topics are created too, where producers have not done so. */
  ...eventTypeVariables,
});

const KEY_FILES = { delivery: 'delivery.keys', controlPlane: 'control-plane.keys' } as const;

/** Two files: what opens secrets for delivery workers, what seals them for control planes. What they held stays behind. */
export async function generateKeys({ name, directory }: { name?: string; directory: string }): Promise<void> {
  const kid = name ?? `k${new Date(systemClock.nowMs()).toISOString().slice(0, 10)}`;
  const keys = generateKeySet(kid);
  await mkdir(directory, { recursive: true }).catch((error: unknown) => {
    throw new DatabridgeError('DB_INPUT_INVALID', `--directory ${directory} can't be made: ${messageOf(error)}`);
  });
  for (const service of ['delivery', 'controlPlane'] as const) {
    const file = join(directory, KEY_FILES[service]);
    const before = existsSync(file) ? await readFile(file, 'utf8') : '';
    const text = `${keys[service]}\n${before}`;
    // Refuses a name that exists already, before anything is written.
    parseKeySet(text);
    await writeFile(`${file}.new`, text, { mode: 0o600 });
  }
  for (const file of Object.values(KEY_FILES)) await rename(join(directory, `${file}.new`), join(directory, file));
  const [delivery, controlPlane] = [join(directory, KEY_FILES.delivery), join(directory, KEY_FILES.controlPlane)];
  printLine(`${delivery}: for DATABRIDGE_KEYS_FILE of delivery workers, and nobody else: it opens secrets`);
  printLine(`${controlPlane}: for DATABRIDGE_KEYS_FILE of control planes: it seals secrets`);
}

export interface TokenChoice {
  readonly name: string;
  readonly role: TokenRole;
  readonly customer?: string;
}

/** The token to standard output, for its owner; the line for the control plane to standard error. */
export function generateToken({ name, role, customer }: TokenChoice): void {
  if (customer !== undefined && role !== 'customer') {
    // Otherwise a token of an operator could be mistaken for one that is limited to the customer.
    const what = `--customer goes with --role customer alone: a token of the role ${role} is not limited to a customer`;
    throw new DatabridgeError('DB_INPUT_INVALID', what);
  }
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
