/** What a Kafka and registry of our own lack that those of a production have: the upstream's topics, an operator's keys. */
import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Tokens } from '@databridge/control-plane/api/auth/tokens';
import { KafkaAdmin } from '@databridge/kernel/kafka/admin';
import { createLogger } from '@databridge/kernel/log';
import { KeyRing } from '@databridge/kernel/secrets/key-ring';
import { loadEventTypes } from '@databridge/schemas/event/event-types';
import { intakeTopic } from '@databridge/schemas/records/topics';

/** @param eventTypes the line that names them, as the services read it */
export async function createIntakeTopics(brokers: string[], eventTypes: string): Promise<void> {
  const log = createLogger('local-platform', 'warn');
  const admin = new KafkaAdmin({ brokers, clientId: 'local-platform', log });
  await admin.connect();
  try {
    await admin.ensureTopics(loadEventTypes(eventTypes).map(({ topic }) => intakeTopic(topic)));
  } finally {
    await admin.disconnect();
  }
}

/** The file with the keys that seal this data directory's secrets; made at the first start, for its owner alone. */
export async function ensureKeyFile(dataDir: string): Promise<string> {
  const file = join(dataDir, 'keys');
  if (!existsSync(file)) {
    await mkdir(dataDir, { recursive: true });
    await writeFile(file, `${KeyRing.generate('local')}\n`, { mode: 0o600, flag: 'wx' });
  }
  return file;
}

/** Who may use the API on this machine: its owner, as an operator. The token is made at the first start. */
export async function ensureTokenFile(dataDir: string): Promise<{ readonly file: string; readonly line: string }> {
  const file = join(dataDir, 'token');
  if (!existsSync(file)) {
    await mkdir(dataDir, { recursive: true });
    await writeFile(file, `${Tokens.generate('local', 'operator').token}\n`, { mode: 0o600, flag: 'wx' });
  }
  return { file, line: Tokens.lineFor((await readFile(file, 'utf8')).trim(), 'local', 'operator') };
}
