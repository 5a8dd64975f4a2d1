import { isUtf8 } from 'node:buffer';
import { readFileSync } from 'node:fs';
import { DatabridgeError, messageOf } from '@databridge/kernel/errors';

/**
 * A byte order mark is no part of the text.
 * @param file `-` is standard input
 * @throws {DatabridgeError} DB_INPUT_INVALID
 */
export function readInput(file: string): string {
  let bytes: Buffer;
  try {
    // The descriptor of standard input.
    bytes = readFileSync(file === '-' ? 0 : file);
  } catch (error) {
    throw new DatabridgeError('DB_INPUT_INVALID', `${file} cannot be read: ${messageOf(error)}`);
  }
  // Replaced letters would be saved without a word: a company whose name has one would never match.
  if (isUtf8(bytes)) return new TextDecoder().decode(bytes);
  throw new DatabridgeError('DB_INPUT_INVALID', `${file} is not UTF-8 text: save it in that encoding`);
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
