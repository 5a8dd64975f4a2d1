import type { MemberLease, Membership } from '@databridge/kernel/kafka/groups/membership';
import type { LaneGroupOptions, LaneStart } from '@databridge/kernel/kafka/lane-reader/group-options';
import type { LaneGroup } from '@databridge/kernel/kafka/lane-reader/lane-group';
import { LaneReader, type LaneReaderOptions } from '@databridge/kernel/kafka/lane-reader/lane-reader';
import type { CommittedOffset, ConsumedBatch, TopicPartition } from '@databridge/kernel/kafka/records';
import { freshName } from '../harness/topics.ts';
import { kafkaSettings } from './kafka-fixture.ts';

/** A lease that a test gives and takes. */
export class TestLease implements MemberLease {
  memberId: string | undefined;
  valid = true;

  constructor(memberId = freshName('worker')) {
    this.memberId = memberId;
  }

  isValid(): boolean {
    return this.valid;
  }
}

const readers: LaneReader[] = [];

/** One reader, as a worker has it. */
export function openReader(
  options: Partial<LaneReaderOptions> = {},
  settings = kafkaSettings(),
): { reader: LaneReader; lease: MemberLease } {
  const lease = options.lease ?? new TestLease();
  const reader = new LaneReader(settings, {
    workersGroup: freshName('workers'),
    handoverWithinMs: 60_000,
    heartbeatIntervalMs: 300,
    ...options,
    lease,
  });
  readers.push(reader);
  return { reader, lease };
}

/** A customer's group, and all that it was told. */
export class GroupRecorder {
  readonly joined: Membership[] = [];
  readonly lost: Membership[] = [];
  readonly batches: ConsumedBatch[] = [];
  readonly jumps: (TopicPartition & { to: number })[] = [];
  committed: readonly CommittedOffset[] = [];
  readonly group: LaneGroup;
  readonly topics: readonly string[];

  constructor(reader: LaneReader, groupId: string, topics: readonly string[], changes: Partial<LaneGroupOptions> = {}) {
    this.topics = topics;
    this.group = reader.open({
      groupId,
      topics,
      log: kafkaSettings().log,
      onJoined: (membership, committed): readonly LaneStart[] => {
        this.joined.push(membership);
        this.committed = committed;
        return committed;
      },
      onLost: (membership) => this.lost.push(membership),
      onBatch: (batch) => this.batches.push(batch),
      onJump: (at, to) => this.jumps.push({ ...at, to }),
      ...changes,
    });
  }

  async start(): Promise<this> {
    await this.group.start(new AbortController().signal);
    return this;
  }

  get membership(): Membership {
    const latest = this.joined.at(-1);
    if (!latest) throw new Error('has not joined');
    return latest;
  }

  get values(): string[] {
    return this.batches.flatMap(({ records }) => records.map(({ value }) => String(value)));
  }
}

afterEach(async () => {
  await Promise.all(readers.splice(0).map((reader) => reader.stop()));
});
