import { readFileSync } from 'node:fs';
import { DatabridgeError, messageOf } from '@databridge/kernel/errors';

/** @param file `-` is standard input @throws {DatabridgeError} DB_INPUT_INVALID */
export function readInput(file: string): string {
  try {
    // The descriptor of standard input.
    return readFileSync(file === '-' ? 0 : file, 'utf8');
  } catch (error) {
    throw new DatabridgeError('DB_INPUT_INVALID', `${file} cannot be read: ${messageOf(error)}`);
  }
}

/** @throws {DatabridgeError} DB_INPUT_INVALID */
export function readJson(file: string): unknown {
  const text = readInput(file);
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new DatabridgeError('DB_INPUT_INVALID', `${file} is not JSON: ${messageOf(error)}`);
  }
}
