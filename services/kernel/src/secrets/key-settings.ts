import { z } from 'zod';
import { DatabridgeError } from '../errors.ts';
import { readSetting } from '../settings/read-setting.ts';
import { type KeySet, parseKeySet } from './key-set.ts';

/** The variables of every service that seals or opens secrets. */
export const keyVariables = {
  /**
   * Keys as {@link parseKeySet} reads them, the current one first: delivery and the control plane have different ones.
   */
  DATABRIDGE_KEYS: z.string().optional(),
  /** A file that contains the keys. */
  DATABRIDGE_KEYS_FILE: z.string().optional(),
} as const;

const keyConfig = z.object(keyVariables);

/** @throws {DatabridgeError} DB_CONFIG_INVALID, DB_KEY_RING_INVALID */
export function loadKeySet(config: z.output<typeof keyConfig>): KeySet {
  const { DATABRIDGE_KEYS: keys, DATABRIDGE_KEYS_FILE: file } = config;
  if (keys !== undefined && file === undefined) return parseKeySet(keys);
  if (file !== undefined && keys === undefined) return parseKeySet(readSetting('DATABRIDGE_KEYS_FILE', file));
  throw new DatabridgeError(
    'DB_CONFIG_INVALID',
    'Set one of DATABRIDGE_KEYS and DATABRIDGE_KEYS_FILE; "databridge keys generate" makes the keys of all services',
  );
}
