/** The subscriptions of one file, of standard input, or of all files in a directory. */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import {
  type FileSubscription,
  formatMistakes,
  parseSubscriptionFile,
} from '@databridge/control-plane/subscriptions/subscription-file';
import { DatabridgeError, messageOf } from '@databridge/kernel/errors';
import type { Environment } from './credentials.ts';

export interface DeclaredSubscription extends FileSubscription {
  readonly file: string;
}

/**
 * @param path a file, `-`, or a directory: of that, what ends in .yaml, .yml or .json, in the order of the names
 * @throws {DatabridgeError} DB_INPUT_INVALID naming every mistake of every file by line and column
 */
export function readSubscriptionFiles(path: string, env: Environment): DeclaredSubscription[] {
  const found: DeclaredSubscription[] = [];
  const mistakes: string[] = [];
  for (const file of filesAt(path)) {
    const parsed = parseSubscriptionFile(readInput(file), env);
    if (parsed.ok) found.push(...parsed.subscriptions.map((one) => ({ ...one, file })));
    else mistakes.push(formatMistakes(file, parsed.mistakes));
  }
  for (const [customer, all] of Map.groupBy(found, ({ subscription }) => subscription.customer)) {
    const [first, second] = all;
    if (second) mistakes.push(`${second.file}: customer "${customer}" stands in ${first?.file}, too`);
  }
  for (const { file, sets, subscription } of found) {
    if (!sets.includes('enableEpoch')) continue;
    mistakes.push(`${file}: customer "${subscription.customer}": enableEpoch is raised by resume and enable alone`);
  }
  if (mistakes.length > 0) throw new DatabridgeError('DB_INPUT_INVALID', mistakes.join('\n'));
  return found;
}

function filesAt(path: string): string[] {
  if (path === '-' || !isDirectory(path)) return [path];
  const files = readdirSync(path)
    .filter((name) => /\.(ya?ml|json)$/i.test(name))
    .sort();
  if (files.length > 0) return files.map((name) => join(path, name));
  throw new DatabridgeError('DB_INPUT_INVALID', `There is no .yaml, .yml or .json file in ${path}`);
}

function isDirectory(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch {
    // Reading it will say what is wrong.
    return false;
  }
}

/** @param file `-` is standard input @throws {DatabridgeError} DB_INPUT_INVALID */
export function readInput(file: string): string {
  try {
    // The descriptor of standard input.
    return readFileSync(file === '-' ? 0 : file, 'utf8');
  } catch (error) {
    throw new DatabridgeError('DB_INPUT_INVALID', `The file can't be read: ${messageOf(error)}`);
  }
}
