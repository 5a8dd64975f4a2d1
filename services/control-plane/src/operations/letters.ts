import type { ConsumedBatch, ConsumedRecord, ProducedRecord, TopicPartition } from '@databridge/kernel/kafka/records';
import { readTopic } from '@databridge/kernel/kafka/topic-reader';
import type { ControlPlaneContext } from '../context.ts';

/** A record of a compacted topic of letters: dead letters, or the quarantine. */
export interface Letter extends TopicPartition {
  readonly key: string;
  readonly record: ConsumedRecord;
}

export interface TakenOut {
  /** Taken out of the topic: a tombstone stands for each. */
  readonly taken: number;
  /** Chosen, but with nothing that could be written elsewhere: they stay. */
  readonly stayed: number;
}

/** Calls back for each letter that stands: the last one of its key, and no tombstone after it. */
export async function readLetters(
  kafka: ControlPlaneContext['kafka'],
  topic: string,
  onLetters: (letters: readonly Letter[]) => void | Promise<void>,
): Promise<void> {
  // Twice, so that only places are held in memory, never the letters.
  const standing = new Map<string, string>();
  await readTopic(kafka, topic, {
    onBatch({ partition, records }) {
      for (const { key, value, offset } of records) {
        const name = key?.toString('utf8') ?? '';
        if (value === null) standing.delete(name);
        else standing.set(name, `${partition}/${offset}`);
      }
    },
  });
  if (standing.size === 0) return;
  await readTopic(kafka, topic, {
    onBatch: (batch) => onLetters(lettersOf(batch).filter((one) => standing.get(one.key) === placeOf(one))),
  });
}

function lettersOf({ topic, partition, records }: ConsumedBatch): Letter[] {
  return records.map((record) => ({ topic, partition, key: record.key?.toString('utf8') ?? '', record }));
}

const placeOf = ({ partition, record }: Letter) => `${partition}/${record.offset}`;

/**
 * Takes letters out: each is written to where `copyOf` says, and only once Kafka has that copy, a tombstone takes its
 * place, so that it is never taken out twice. A crash in between makes one copy more, never one less.
 * @param copyOf `nowhere`: taken out without a copy; undefined: stays as it is
 */
export async function takeOutLetters(
  { kafka, producer }: Pick<ControlPlaneContext, 'kafka' | 'producer'>,
  topic: string,
  isChosen: (letter: Letter) => boolean,
  copyOf: (letter: Letter) => ProducedRecord | 'nowhere' | undefined,
): Promise<TakenOut> {
  let taken = 0;
  let stayed = 0;
  await readLetters(kafka, topic, async (letters) => {
    const copies: ProducedRecord[] = [];
    const tombstones: ProducedRecord[] = [];
    for (const letter of letters.filter(isChosen)) {
      const copy = copyOf(letter);
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
  });
  return { taken, stayed };
}
