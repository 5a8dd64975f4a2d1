/** The subscriptions of one file, of standard input, or of all files in a directory. */
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { DatabridgeError } from '@databridge/kernel/errors';
import { type ContentCheck, noContent } from '@databridge/schemas/subscription/subscription-form';
import type { Environment } from '../credentials.ts';
import { readInput } from './read-input.ts';
import {
  byPlace,
  type DoubtfulSubscription,
  type FileMistake,
  type FileSubscription,
  formatMistakes,
  type Path,
  parseSubscriptionFile,
} from './subscription-file.ts';

export interface DeclaredSubscription extends FileSubscription {
  readonly file: string;
}

/** The file in which a mistake was found. */
type InFile = Pick<DeclaredSubscription, 'file' | 'mistakeAt'>;

/** Reads the declarations of files, and finds every mistake in them. The API adds the mistakes that only it can find. */
export class Declarations {
  readonly subscriptions: readonly DeclaredSubscription[];
  /** Those with mistakes, for the API to find the others. */
  readonly doubtful: readonly (DoubtfulSubscription & InFile)[];
  readonly #mistakes = new Map<string, FileMistake[]>();

  /**
   * @param path a file, `-`, or a directory: its .yaml, .yml and .json files, in the order of their names
   * @throws {DatabridgeError} DB_INPUT_INVALID if it cannot be read
   */
  static async read(path: string, env: Environment): Promise<Declarations> {
    const texts = new Map(filesAt(path).map((file) => [file, readInput(file)]));
    return new Declarations(texts, env, await checkFor([...texts.values()]));
  }

  private constructor(texts: ReadonlyMap<string, string>, env: Environment, contentOf: ContentCheck) {
    const found: DeclaredSubscription[] = [];
    const doubtful: (DoubtfulSubscription & InFile)[] = [];
    for (const [file, text] of texts) {
      const { subscriptions, doubtful: others, mistakes } = parseSubscriptionFile(text, env, contentOf);
      this.#mistakes.set(file, [...mistakes]);
      found.push(...subscriptions.map((one) => ({ ...one, file })));
      doubtful.push(...others.map((one) => ({ ...one, file })));
    }
    this.subscriptions = found;
    this.doubtful = doubtful;
    for (const all of Map.groupBy(found, ({ subscription }) => subscription.customer).values()) {
      const [first, second] = all;
      // Twice in one file has been found as that was read.
      if (first && second && first.file !== second.file) this.add(second, ['customer'], `is also in ${first.file}`);
    }
    for (const one of found) {
      if (one.sets.includes('enableEpoch')) this.add(one, ['enableEpoch'], 'is set by resume and enable only');
    }
  }

  /** A known mistake is not reported twice. */
  add({ file, mistakeAt }: InFile, path: Path, message: string): void {
    const known = this.#mistakes.get(file);
    const mistake = mistakeAt(path, message);
    const isSame = (one: FileMistake) => one.line === mistake.line && one.message === mistake.message;
    if (known?.some(isSame) === false) known.push(mistake);
  }

  get hasMistakes(): boolean {
    return [...this.#mistakes.values()].some((all) => all.length > 0);
  }

  /** @throws {DatabridgeError} DB_INPUT_INVALID naming every mistake of every file by line and column */
  refuseMistakes(): void {
    if (!this.hasMistakes) return;
    const lines = [...this.#mistakes]
      .filter(([, mistakes]) => mistakes.length > 0)
      .map(([file, mistakes]) => formatMistakes(file, mistakes.toSorted(byPlace)));
    throw new DatabridgeError('DB_INPUT_INVALID', lines.join('\n'));
  }
}

/** The schemas of the event types take a quarter of the start: most files need none. */
async function checkFor(texts: readonly string[]): Promise<ContentCheck> {
  if (!texts.some((text) => /filter|sections|<<|\\/.test(text))) return noContent;
  return (await import('@databridge/schemas/subscription/subscription')).contentCheck;
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
