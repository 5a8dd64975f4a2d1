/** Creates what production has and a new local platform lacks: topics, a key ring, an operator's token. */
import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabridgeError } from '@databridge/kernel/errors';
import { KafkaAdmin } from '@databridge/kernel/kafka/admin/admin';
import { ensureSystemTopics } from '@databridge/kernel/kafka/system-topics';
import { createLogger } from '@databridge/kernel/log';
import { generateKeySet } from '@databridge/kernel/secrets/key-set';
import { Tokens } from '@databridge/kernel/secrets/tokens';
import { loadEventTypes } from '@databridge/schemas/event/event-types';

/** Any group will do: Kafka creates the topic of all groups' offsets with the first request for a group. */
const FIRST_GROUP = 'fan-out';
const COORDINATOR_WITHIN_MS = 60_000;

/**
 * Creates the topics and awaits a group coordinator, which each service would otherwise await at its first start.
 * @param eventTypes the EVENT_TYPES that the services read
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

/** On a busy machine, the first group coordinator can take longer than one call to Kafka with its retries. */
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
  /** The key file of delivery, which opens the secrets of this data directory. */
  readonly delivery: string;
  /** The key file of the control plane, which seals them. */
  readonly controlPlane: string;
}

/** Creates the owner-only key files at the first start. Secrets sealed by an earlier version can still be opened. */
export async function ensureKeyFiles(dataDir: string): Promise<KeyFiles> {
  const files = { delivery: join(dataDir, 'delivery.keys'), controlPlane: join(dataDir, 'control-plane.keys') };
  if (existsSync(files.controlPlane)) return files;
  await mkdir(dataDir, { recursive: true });
  const earlier = join(dataDir, 'keys');
  const older = existsSync(earlier) ? await readFile(earlier, 'utf8') : '';
  const keys = generateKeySet(`local-${new Date().toISOString().slice(0, 10)}`);
  await writeFile(files.delivery, `${keys.delivery}\n${older}`, { mode: 0o600 });
  // Last: without it, both are generated again.
  await writeFile(files.controlPlane, `${keys.controlPlane}\n`, { mode: 0o600, flag: 'wx' });
  return files;
}

/** Creates the token at the first start: it makes the owner of this machine an operator of the API. */
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
