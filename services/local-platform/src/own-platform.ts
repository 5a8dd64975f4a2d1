/** What a local Kafka and registry lack that those of a production have: topics, a key ring, an operator's token. */
import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabridgeError } from '@databridge/kernel/errors';
import { KafkaAdmin } from '@databridge/kernel/kafka/admin';
import { ensureSystemTopics } from '@databridge/kernel/kafka/system-topics';
import { createLogger } from '@databridge/kernel/log';
import { generateKeySet } from '@databridge/kernel/secrets/key-set';
import { Tokens } from '@databridge/kernel/secrets/tokens';
import { loadEventTypes } from '@databridge/schemas/event/event-types';

/** Any group: Kafka creates the topic of all groups' offsets when it is first asked for one. */
const FIRST_GROUP = 'fan-out';
const COORDINATOR_WITHIN_MS = 60_000;

/**
 * Everything that the services would otherwise wait for side by side at their first start: the topics, and a coordinator
 * of groups.
 * @param eventTypes the line that names them, as the services read it
 */
export async function prepareKafka(brokers: string[], eventTypes: string): Promise<void> {
  const log = createLogger('local-platform', 'error');
  const admin = new KafkaAdmin({ brokers, clientId: 'local-platform', log });
  await admin.connect();
  try {
    await ensureSystemTopics(
      admin,
      loadEventTypes(eventTypes).map(({ topic }) => topic),
    );
    await awaitCoordinator(admin);
  } finally {
    await admin.disconnect();
  }
}

/** A busy machine needs longer for its first group coordinator than one call to Kafka, retries included, takes. */
async function awaitCoordinator(admin: KafkaAdmin): Promise<void> {
  const giveUpAtMs = performance.now() + COORDINATOR_WITHIN_MS;
  for (;;) {
    try {
      await admin.committedOffsets(FIRST_GROUP);
      return;
    } catch (error) {
      const isTemporary = error instanceof DatabridgeError && error.retryable;
      if (!isTemporary || performance.now() > giveUpAtMs) throw error;
    }
  }
}

export interface KeyFiles {
  /** Opens the secrets of this data directory: for delivery alone. */
  readonly delivery: string;
  /** Seals them. */
  readonly controlPlane: string;
}

/** Made at the first start, for their owner alone. What an earlier version sealed can still be opened. */
export async function ensureKeyFiles(dataDir: string): Promise<KeyFiles> {
  const files = { delivery: join(dataDir, 'delivery.keys'), controlPlane: join(dataDir, 'control-plane.keys') };
  if (existsSync(files.controlPlane)) return files;
  await mkdir(dataDir, { recursive: true });
  const earlier = join(dataDir, 'keys');
  const older = existsSync(earlier) ? await readFile(earlier, 'utf8') : '';
  const keys = generateKeySet(`local-${new Date().toISOString().slice(0, 10)}`);
  await writeFile(files.delivery, `${keys.delivery}\n${older}`, { mode: 0o600 });
  // Last: without it, both are made anew.
  await writeFile(files.controlPlane, `${keys.controlPlane}\n`, { mode: 0o600, flag: 'wx' });
  return files;
}

/** Who may use the API on this machine: its owner, as an operator. The token is made at the first start. */
export async function ensureTokenFile(
  dataDir: string,
): Promise<{ readonly file: string; readonly line: string; readonly token: string }> {
  const file = join(dataDir, 'token');
  if (!existsSync(file)) {
    await mkdir(dataDir, { recursive: true });
    await writeFile(file, `${Tokens.generate('local', 'operator').token}\n`, { mode: 0o600, flag: 'wx' });
  }
  const token = (await readFile(file, 'utf8')).trim();
  return { file, token, line: Tokens.lineFor(token, 'local', 'operator') };
}
