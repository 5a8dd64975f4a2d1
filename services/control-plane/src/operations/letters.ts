import { DatabridgeError } from '@databridge/kernel/errors';
import type { ConsumedBatch, ConsumedRecord, ProducedRecord, TopicPartition } from '@databridge/kernel/kafka/records';
import { readTopicIfAny } from '@databridge/kernel/kafka/topic-reader';
import { readDeliveryHeaders } from '@databridge/schemas/records/headers';
import { suggestion } from '@databridge/schemas/subscription/issue-words';
import type { ControlPlaneContext } from '../context.ts';
import { type Run, untracked } from './run.ts';

/** A record of a compacted topic of letters: dead letters, or the quarantine. */
export interface Letter extends TopicPartition {
  readonly key: string;
  readonly record: ConsumedRecord;
}

export interface TakenOut {
  /** The number of letters that were removed from the topic, by a tombstone for each. */
  readonly taken: number;
  /** The number of letters that were selected, but have nothing to write elsewhere: they stay. */
  readonly stayed: number;
}

/** The parts that are needed to read letters. */
export type LetterContext = Pick<ControlPlaneContext, 'kafka'> & {
  readonly erasures: Pick<ControlPlaneContext['erasures'], 'events'>;
};

/**
 * Calls back for each current letter: the last record of its key, unless that is a tombstone, or the event is erased. A
 * customer has no dead-letter topic before its first dead letter.
 */
export async function readLetters(
  { kafka, erasures }: LetterContext,
  topic: string,
  onLetters: (letters: readonly Letter[]) => void | Promise<void>,
): Promise<void> {
  // Reads the topic twice, so that only offsets are held in memory, never the letters.
  const standing = new Map<string, string>();
  await readTopicIfAny(kafka, topic, {
    onBatch({ partition, records }) {
      for (const { key, value, offset } of records) {
        const name = key?.toString('utf8') ?? '';
        if (value === null) standing.delete(name);
        else standing.set(name, `${partition}/${offset}`);
      }
    },
  });
  if (standing.size === 0) return;
  const isShown = (one: Letter) =>
    standing.get(one.key) === placeOf(one) && !erasures.events.has(readDeliveryHeaders(one.record.headers));
  await readTopicIfAny(kafka, topic, {
    onBatch: (batch) => onLetters(lettersOf(batch).filter(isShown)),
  });
}

function lettersOf({ topic, partition, records }: ConsumedBatch): Letter[] {
  return records.map((record) => ({ topic, partition, key: record.key?.toString('utf8') ?? '', record }));
}

const placeOf = ({ partition, record }: Letter) => `${partition}/${record.offset}`;

/**
 * Takes letters out: each is written to the topic that `copyOf` returns, and only once Kafka has that copy, a tombstone
 * replaces it, so that it is never taken out twice. A crash in between leaves one copy more, never one less.
 * @param copyOf `nowhere`: taken out without a copy; undefined: stays as it is
 */
export async function takeOutLetters(
  context: LetterContext & Pick<ControlPlaneContext, 'producer'>,
  topic: string,
  isChosen: (letter: Letter) => boolean,
  copyOf: (letter: Letter) => ProducedRecord | 'nowhere' | undefined | Promise<ProducedRecord | 'nowhere' | undefined>,
  run: Run = untracked,
): Promise<TakenOut> {
  const { producer } = context;
  // Letters that an earlier run took out have their tombstones, and are not read any more.
  let taken = Number(run.checkpoint['taken'] ?? 0);
  let stayed = 0;
  await readLetters(context, topic, async (letters) => {
    const copies: ProducedRecord[] = [];
    const tombstones: ProducedRecord[] = [];
    for (const letter of letters.filter(isChosen)) {
      const copy = await copyOf(letter);
      if (copy === undefined) {
        stayed++;
        continue;
      }
      if (copy !== 'nowhere') copies.push(copy);
      tombstones.push({ topic, partition: letter.partition, key: letter.record.key, value: null });
    }
    if (copies.length > 0) await producer.send(copies);
    if (tombstones.length > 0) await producer.send(tombstones);
    taken += tombstones.length;
    await run.reportProgress(taken + stayed, { step: 'taking out letters', checkpoint: { taken } });
  });
  return { taken, stayed };
}

export interface LetterFilter {
  /** Only letters with one of these reasons; if omitted, all. */
  readonly reasons?: readonly string[];
  /** Only letters with these keys; if omitted, all. */
  readonly keys?: readonly string[];
}

export function chosenBy({ reasons, keys }: LetterFilter, reasonOf: (letter: Letter) => string) {
  const wanted = keys && new Set(keys);
  return (letter: Letter) =>
    (reasons === undefined || reasons.includes(reasonOf(letter))) && (wanted === undefined || wanted.has(letter.key));
}

/** The letters that a filter selects at present. */
export interface LetterCount {
  readonly chosen: number;
  readonly byReason: Readonly<Record<string, number>>;
}

/**
 * @throws {DatabridgeError} DB_INPUT_INVALID for an unknown reason; DB_NOT_FOUND naming every key that is not
 *   among the letters
 */
export async function countLetters(
  context: LetterContext,
  topic: string,
  filter: LetterFilter,
  reasonOf: (letter: Letter) => string,
  knownReasons: readonly string[],
): Promise<LetterCount> {
  const isChosen = chosenBy(filter, reasonOf);
  const missing = new Set(filter.keys);
  const present = new Set<string>(knownReasons);
  const byReason: Record<string, number> = {};
  let chosen = 0;
  await readLetters(context, topic, (letters) => {
    for (const letter of letters) {
      const reason = reasonOf(letter);
      present.add(reason);
      missing.delete(letter.key);
      if (!isChosen(letter)) continue;
      chosen++;
      byReason[reason] = (byReason[reason] ?? 0) + 1;
    }
  });
  const strange = (filter.reasons ?? []).filter((reason) => !present.has(reason));
  if (strange.length > 0) {
    const mistakes = strange.map((reason) => `"${reason}" is not a reason${suggestion(reason, [...present])}`);
    throw new DatabridgeError('DB_INPUT_INVALID', `${mistakes.join('; ')}. Reasons: ${[...present].sort().join(', ')}`);
  }
  if (missing.size > 0) {
    const names = [...missing].map((key) => `"${key}"`).join(', ');
    throw new DatabridgeError('DB_NOT_FOUND', `${topic} has no letter with the id ${names}; nothing was changed`);
  }
  return { chosen, byReason };
}
