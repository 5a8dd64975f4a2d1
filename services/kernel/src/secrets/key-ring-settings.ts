import { z } from 'zod';
import { DatabridgeError } from '../errors.ts';
import { readSetting } from '../kafka/settings.ts';
import { KeyRing } from './key-ring.ts';

/** What every service that seals or unseals reads. */
export const keyRingVariables = {
  /** `name:key`, the current one first; see {@link KeyRing}. */
  DATABRIDGE_KEYS: z.string().optional(),
  /** A file that holds the same. */
  DATABRIDGE_KEYS_FILE: z.string().optional(),
} as const;

const keyRingConfig = z.object(keyRingVariables);

/** @throws {DatabridgeError} DB_CONFIG_INVALID, DB_KEY_RING_INVALID */
export function loadKeyRing(config: z.output<typeof keyRingConfig>): KeyRing {
  const { DATABRIDGE_KEYS: keys, DATABRIDGE_KEYS_FILE: file } = config;
  if (keys !== undefined && file === undefined) return new KeyRing(keys);
  if (file !== undefined && keys === undefined) return new KeyRing(readSetting('DATABRIDGE_KEYS_FILE', file));
  throw new DatabridgeError(
    'DB_CONFIG_INVALID',
    'Set one of DATABRIDGE_KEYS and DATABRIDGE_KEYS_FILE; "databridge keys generate" makes a key',
  );
}
