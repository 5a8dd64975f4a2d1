import type { KafkaAdmin } from '@databridge/kernel/kafka/admin/admin';
import { LETTERS_POLICY } from '@databridge/schemas/records/topics';
import { z } from 'zod';
import type { Run } from '../operations/run.ts';
import { isLetters } from './copy.ts';

/** Begins a new segment with the next record, if the newest segment is older than a second. */
const ROLL = { 'segment.ms': '1000', 'segment.jitter.ms': '0' } as const;
/** Compacts all segments but the newest as soon as the cleaner runs. */
const COMPACT = { 'min.cleanable.dirty.ratio': '0', 'min.compaction.lag.ms': '0' } as const;
/** For topics that are otherwise not compacted. Retention ends the tombstones, which reconciliation counts. */
const COMPACT_UNTIL_GONE = {
  ...COMPACT,
  'cleanup.policy': LETTERS_POLICY,
  'delete.retention.ms': '157680000000',
} as const;

type Admin = Pick<KafkaAdmin, 'listTopics' | 'topicSettings' | 'changeTopicSettings'>;

const NAMES = Object.keys({ ...ROLL, ...COMPACT_UNTIL_GONE });

const noted = z.record(z.string(), z.record(z.string(), z.string().nullable()));
/** The topics' own settings; null: the topic has none and inherits the broker's. */
type Before = z.infer<typeof noted>;

/** Changes topic settings for a moment. The previous ones are stored first, so that a later run can restore them. */
export class CompactionSettings {
  readonly #admin: Admin;
  readonly #run: Pick<Run, 'note' | 'checkpoint'>;
  #before: Before = {};

  constructor(admin: Admin, run: Pick<Run, 'note' | 'checkpoint'>) {
    this.#admin = admin;
    this.#run = run;
  }

  /** Restores the settings that an interrupted run had changed. */
  async restoreNoted(): Promise<void> {
    const { data } = noted.safeParse(this.#run.checkpoint['settings']);
    if (data === undefined) return;
    this.#before = data;
    await this.restore();
  }

  /** Stores the current settings; call it before any change. */
  async remember(topics: readonly string[]): Promise<void> {
    const found = await this.#admin.topicSettings(topics);
    this.#before = Object.fromEntries(
      [...found].map(([topic, own]) => [topic, Object.fromEntries(NAMES.map((name) => [name, own[name] ?? null]))]),
    );
    await this.#run.note({ step: 'compacting', checkpoint: { settings: this.#before } });
  }

  /** @throws {KafkaPortError} not retryable: Kafka refuses the settings, or the right to change them is missing */
  async set(topic: string, stage: 'roll' | 'compact'): Promise<void> {
    const { 'segment.ms': segmentMs = null, 'segment.jitter.ms': jitterMs = null } = this.#before[topic] ?? {};
    const asBefore = { 'segment.ms': segmentMs, 'segment.jitter.ms': jitterMs };
    const compact = isLetters(topic) ? COMPACT : COMPACT_UNTIL_GONE;
    await this.#admin.changeTopicSettings([topic], stage === 'roll' ? ROLL : { ...asBefore, ...compact });
  }

  /** A topic that was deleted meanwhile is passed over. */
  async restore(): Promise<void> {
    const existing = new Set(await this.#admin.listTopics());
    for (const [topic, before] of Object.entries(this.#before)) {
      if (existing.has(topic)) await this.#admin.changeTopicSettings([topic], before, true);
    }
    this.#before = {};
    await this.#run.note({ checkpoint: {} });
  }
}
