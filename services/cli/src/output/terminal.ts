/** Input of people: answers, and secrets that must not be shown. */
import { createInterface, type Interface } from 'node:readline/promises';
import { Writable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { DatabridgeError } from '@databridge/kernel/errors';

/** Returns whether a person is at the terminal. */
export const isAttended = (): boolean => process.stdin.isTTY === true && process.stderr.isTTY === true;

/** A person was asked and declined: nothing was wrong, and nothing was changed. */
export class DeclinedError extends Error {
  override readonly name = 'DeclinedError';

  constructor() {
    super('Declined: nothing was changed');
  }
}

/** @param isAgreed set by `--yes` @throws {DeclinedError} {DatabridgeError} DB_INPUT_INVALID if nobody can be asked */
export async function mustConfirm(question: string, isAgreed: boolean): Promise<void> {
  if (isAgreed) return;
  if (!isAttended()) {
    throw new DatabridgeError(
      'DB_INPUT_INVALID',
      'Nothing was changed: this needs a confirmation, and there is no terminal to ask at. Repeat the command with --yes',
    );
  }
  if (!(await confirm(question))) throw new DeclinedError();
}

/** @returns false for anything but yes */
export async function confirm(question: string): Promise<boolean> {
  const line = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return /^y(es)?$/i.test((await answerTo(line, `${question} [y/N] `)).trim());
  } finally {
    line.close();
  }
}

/**
 * A secret from standard input, without the line's end; where somebody types, it does not show. Never an argument: those
 * be visible in the shell's history and in the list of processes.
 * @throws {DatabridgeError} DB_INPUT_INVALID if there is none
 */
export async function readSecret(prompt: string): Promise<string> {
  const secret = isAttended() ? await askHidden(prompt) : (await text(process.stdin)).replace(/\r?\n$/, '');
  if (secret !== '') return secret;
  throw new DatabridgeError(
    'DB_INPUT_INVALID',
    'Nothing was entered: write it to standard input, or type it when asked',
  );
}

/** Ctrl-C and Ctrl-D end the question, and with it the command. */
async function answerTo(line: Interface, question: string): Promise<string> {
  const closed = new Promise<never>((_, reject) => {
    const giveUp = () => reject(new DeclinedError());
    line.once('SIGINT', giveUp);
    line.once('close', giveUp);
  });
  return await Promise.race([line.question(question), closed]);
}

async function askHidden(prompt: string): Promise<string> {
  process.stderr.write(prompt);
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  const line = createInterface({ input: process.stdin, output: nowhere, terminal: true });
  try {
    return await answerTo(line, '');
  } finally {
    line.close();
    process.stderr.write('\n');
  }
}
