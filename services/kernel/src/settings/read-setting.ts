import { readFileSync } from 'node:fs';
import { DatabridgeError, messageOf } from '../errors.ts';

/** @returns the text of the file that a variable names @throws {DatabridgeError} DB_CONFIG_INVALID */
export function readSetting(variable: string, file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new DatabridgeError('DB_CONFIG_INVALID', `${variable}: ${messageOf(error)}`);
  }
}
