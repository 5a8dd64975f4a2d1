import { readFileSync } from 'node:fs';
import { DatabridgeError, messageOf } from '../errors.ts';

/** @returns the text of the file that a variable names @throws {DatabridgeError} DB_CONFIG_INVALID */
export function readSetting(variable: string, file: string): string {
  try {
    // A byte order mark, as some editors write, is no part of what the file contains.
    return readFileSync(file, 'utf8').replace(/^\ufeff/, '');
  } catch (error) {
    throw new DatabridgeError('DB_CONFIG_INVALID', `${variable}: ${messageOf(error)}`);
  }
}

/** The same of a file that contains a password, a token or a secret alone: without the line end, and never empty. */
export function readSecretSetting(variable: string, file: string): string {
  const secret = readSetting(variable, file).trimEnd();
  if (secret !== '') return secret;
  throw new DatabridgeError('DB_CONFIG_INVALID', `${variable}: ${file} is empty`);
}
