import type { Consumer } from 'kafkajs';
import { systemClock } from '../../time/clock.ts';
import { createKafka, type KafkaSettings } from '../kafkajs/client.ts';
import type { TopicPartition } from '../records.ts';
import { clientAssigner } from './assigners.ts';
import type { FullConsumerOptions } from './consumer-options.ts';

/** A batch of which kafkajs passes on no record. */
export interface EmptyBatch {
  readonly topic: string;
  readonly partition: number;
  readonly lastOffset: string;
  readonly highWatermark: string;
}

/** Called at the events of a consumer; all of them are synchronous. */
export interface ConsumerEvents {
  /** kafkajs has logged a crash, which it does before anything else. */
  onCrashLogged(): void;
  /** The committed offset was out of range. @param fields of the log line: `topic` and `partition` among them */
  onJump(fields: Readonly<Record<string, unknown>>): void;
  /** A join begins. @returns our last membership */
  onJoining(isFirstAssigner: boolean): { memberId: string; owned: readonly TopicPartition[] } | undefined;
  onJoin(memberId: string, assigned: Readonly<Record<string, readonly number[]>>): void;
  onRebalancing(): void;
  onCrash(error: Error): void;
  /** A request that extends the session was answered. @param sentAtMs by the monotonic clock */
  onSessionRequest(sentAtMs: number): void;
  onHeartbeat(): void;
  onFetching(nodeId: number): void;
  onFetched(nodeId: number, durationMs: number): void;
  onBatchStart(): void;
  onEmptyBatch(batch: EmptyBatch): void;
}

const JUMP_LOG_LINE = 'Offset out of range, resetting to default offset';
const CRASH_LOG_LINE = 'Crash: ';

/** A consumer of kafkajs that is not connected yet, with its events and the log lines that serve as such. */
export function createConsumer(settings: KafkaSettings, options: FullConsumerOptions, on: ConsumerEvents): Consumer {
  const kafka = createKafka(settings, `consumer of ${options.groupId}`, (message, fields) => {
    if (message.startsWith(CRASH_LOG_LINE)) on.onCrashLogged();
    if (message === JUMP_LOG_LINE) on.onJump(fields);
  });
  const consumer = kafka.consumer({
    groupId: options.groupId,
    allowAutoTopicCreation: false,
    sessionTimeout: options.sessionTimeoutMs,
    rebalanceTimeout: options.sessionTimeoutMs,
    heartbeatInterval: options.heartbeatIntervalMs,
    maxWaitTimeInMs: options.maxWaitMs,
    maxBytesPerPartition: options.maxBytesPerPartition,
    maxBytes: options.maxBytes,
    minBytes: options.minBytes,
    metadataMaxAge: options.metadataMaxAgeMs,
    partitionAssigners: options.assigners.map((assigner, at) =>
      clientAssigner(assigner, { joining: () => on.onJoining(at === 0) }),
    ),
    // We restart it ourselves: kafkajs stops permanently at errors that it considers final.
    retry: { restartOnFailure: async () => false },
  });
  const { events } = consumer;
  consumer.on(events.GROUP_JOIN, ({ payload }) => on.onJoin(payload.memberId, payload.memberAssignment));
  consumer.on(events.REBALANCING, () => on.onRebalancing());
  consumer.on(events.CRASH, ({ payload }) => on.onCrash(payload.error));
  consumer.on(events.REQUEST, ({ payload }) => {
    if (payload.apiName !== 'Heartbeat' && payload.apiName !== 'SyncGroup') return;
    on.onSessionRequest(systemClock.monotonicMs() - Math.max(0, payload.duration));
  });
  consumer.on(events.HEARTBEAT, () => on.onHeartbeat());
  consumer.on(events.FETCH, ({ payload }) => on.onFetched(payload.nodeId, payload.duration));
  consumer.on(events.FETCH_START, ({ payload }) => on.onFetching(payload.nodeId));
  consumer.on(events.START_BATCH_PROCESS, () => on.onBatchStart());
  consumer.on(events.END_BATCH_PROCESS, ({ payload }) => {
    // A batch of control records only never reaches `eachBatch`, yet advances the position.
    if (payload.batchSize === 0) on.onEmptyBatch(payload);
  });
  return consumer;
}
