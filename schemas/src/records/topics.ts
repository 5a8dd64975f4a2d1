/** The names and settings of all Kafka topics and groups. */

import { DAY_MS, DEFAULT_RETENTION, QUARANTINE_DAYS } from '../privacy/retention.ts';

/**
 * Replication is not included: the creator of a topic knows the number of brokers (3 replicas and `min.insync.replicas`
 * 2 from three brokers on).
 */
export interface TopicSpec {
  readonly topic: string;
  readonly partitions: number;
  readonly config: Readonly<Record<string, string>>;
}

/** Customer → subscription, with its secrets sealed. Compacted; the control plane is the only writer. */
export const SUBSCRIPTIONS_TOPIC = 'databridge.subscriptions';
/** Customer → state observed by its worker. Compacted; that worker is the only writer. */
export const STATUS_TOPIC = 'databridge.status';
/** Customer → a batch of attempts, kept seven days. */
export const ATTEMPTS_TOPIC = 'databridge.attempts';
/**
 * Customer → changes of it, with their author and time: an append log, kept for a year. Written with the change, in one
 * transaction.
 */
export const AUDIT_TOPIC = 'databridge.audit';
/** One partition: the control plane that owns it is the writer. The record contains the writer's address. */
export const CONTROL_PLANE_TOPIC = 'databridge.control-plane';
/**
 * Worker → the customers that it runs at present. Compacted; that worker is the only writer, and its last record is a
 * tombstone.
 */
export const WORKERS_TOPIC = 'databridge.workers';
/** Operation id → its input, progress and result. Compacted; only the control plane writes it. */
export const OPERATIONS_TOPIC = 'databridge.operations';
/** Operational notices: the intake topic of the event type `notice`. Only the control plane writes it. */
export const NOTICES_TOPIC = 'databridge.notices';
/** Condition → its last notice. Compacted; written with the notice, in one transaction. */
export const NOTICES_TOLD_TOPIC = 'databridge.notices-told';
/** Digest of a cookie or link → the portal session that it belongs to. Compacted; any control plane writes it. */
export const SESSIONS_TOPIC = 'databridge.sessions';
/**
 * Idempotency key → the request that was carried out under it. Compacted; written with the change, in one transaction.
 */
export const IDEMPOTENCY_TOPIC = 'databridge.idempotency';
/**
 * Invitation id → an invitation to enter secrets, without its link and code. Compacted; only the control plane writes
 * it.
 */
export const INVITATIONS_TOPIC = 'databridge.invitations';
/**
 * Digest of a request id → digests of the events that were erased for it. Compacted; only the control plane writes it.
 */
export const ERASED_TOPIC = 'databridge.erased';
/** Customer → the latest key pair that its worker made for it: the certificate request, and the private key, sealed. */
export const CERTIFICATE_REQUESTS_TOPIC = 'databridge.certificate-requests';
/** Requests of control planes to the worker that owns a customer, whether it runs the customer or not. */
export const WORKER_REQUESTS_TOPIC = 'databridge.worker-requests';
/** Intake source → intake bytes that cannot be read, and the reason. Compacted, redriven like dead letters. */
export const QUARANTINE_TOPIC = 'fan-out.quarantine';

/** The group in which all fan-out instances share the intake topics. */
export const FAN_OUT_GROUP = 'fan-out';
/** The group that distributes customers over the delivery workers, on the subscriptions topic. */
export const DELIVERY_WORKERS_GROUP = 'delivery-workers';

/** The group of the control planes, on {@link CONTROL_PLANE_TOPIC}. */
export const CONTROL_PLANE_GROUP = 'control-plane';
/** One id for all control planes: a control plane that takes it over fences the previous one. */
export const CONTROL_PLANE_TRANSACTIONAL_ID = 'databridge.control-plane';

/**
 * The number of partitions that the customers are divided over: the greatest number of delivery workers that can have
 * work.
 */
export const SUBSCRIPTIONS_PARTITIONS = 64;

/** A lane's name: its delay in canonical form, such as `10s`, `1m`, `7m45s`. See {@link parseDelay}. */
export type RetryDelay = string;

/** The lanes of the default retry plan: 10 s × 3, 1 min × 3, 5 min × 3, 7 min 45 s × 175. */
export const DEFAULT_RETRY_DELAYS: readonly RetryDelay[] = ['10s', '1m', '5m', '7m45s'];

/** The longest lane is a day: the window in which an event is retried. */
const MAX_DELAY_MS = 86_400_000;
const DELAY_UNITS = [
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1_000],
  ['ms', 1],
] as const;

/** @returns the delay's single canonical name: 465,000 ms is `7m45s`, never `465s` */
export function formatDelay(delayMs: number): RetryDelay {
  if (!Number.isInteger(delayMs) || delayMs <= 0 || delayMs > MAX_DELAY_MS) {
    throw new RangeError(`a retry delay is a whole number of milliseconds from 1 to ${MAX_DELAY_MS}, not ${delayMs}`);
  }
  let name = '';
  let restMs = delayMs;
  for (const [unit, unitMs] of DELAY_UNITS) {
    const count = Math.floor(restMs / unitMs);
    if (count > 0) name += `${count}${unit}`;
    restMs %= unitMs;
  }
  return name;
}

/**
 * @returns the delay in milliseconds, or `undefined` for any other name than the canonical one: if both `60s` and `1m`
 *   were accepted, one lane would have two topics
 */
export function parseDelay(name: string): number | undefined {
  const parts = /^(?:(\d{1,2})h)?(?:(\d{1,2})m)?(?:(\d{1,2})s)?(?:(\d{1,3})ms)?$/.exec(name);
  if (!parts) return undefined;
  const delayMs = DELAY_UNITS.reduce((sum, [, unitMs], index) => sum + Number(parts[index + 1] ?? 0) * unitMs, 0);
  if (delayMs <= 0 || delayMs > MAX_DELAY_MS) return undefined;
  return formatDelay(delayMs) === name ? delayMs : undefined;
}

/** A customer's name: it is part of topic and group names, so it has no dot, which separates their parts. */
export const CUSTOMER_PATTERN = /^[a-z0-9-]{1,63}$/;

/** The main lane. */
export function deliveryTopic(customer: string): string {
  return `delivery.${customer}`;
}

/** @returns the customer whose main lane the topic is, otherwise `undefined` */
export function customerOfDeliveryTopic(topic: string): string | undefined {
  return /^delivery\.([a-z0-9-]{1,63})$/.exec(topic)?.[1];
}

/** @returns the customer whose topic it is (a lane or the dead letters), otherwise `undefined` */
export function customerOfTopic(topic: string): string | undefined {
  return /^delivery\.([a-z0-9-]{1,63})(?:\.|$)/.exec(topic)?.[1];
}

export function retryTopic(customer: string, delay: RetryDelay): string {
  return `delivery.${customer}.retry.${delay}`;
}

/** @returns the lane's delay if the topic is one of the customer's retry topics, otherwise `undefined` */
export function retryDelayOf(customer: string, topic: string): RetryDelay | undefined {
  const prefix = `delivery.${customer}.retry.`;
  return topic.startsWith(prefix) ? topic.slice(prefix.length) : undefined;
}

/** Event id + replay id → dead letter. Compacted: a tombstone means that it was redriven or discarded. */
export function deadTopic(customer: string): string {
  return `delivery.${customer}.dead`;
}

/** The customer's own group: its offsets say what was delivered. */
export function deliveryGroup(customer: string): string {
  return `delivery.${customer}`;
}

/** Kafka's own default limit of a record batch, which the intake topics keep. */
const INTAKE_MAX_MESSAGE_BYTES = 1_048_588;
/** The space for the headers that we add to the bytes of the intake record. */
const ADDED_HEADERS_BYTES = 65_536;
/** The limit of a record batch in every topic that we create. */
export const MAX_MESSAGE_BYTES = INTAKE_MAX_MESSAGE_BYTES + ADDED_HEADERS_BYTES;

/**
 * The order of due times must be the order of offsets, and no producer's clock may matter: hence the broker's append
 * time.
 */
const EVERY_TOPIC = {
  'message.timestamp.type': 'LogAppendTime',
  'max.message.bytes': String(MAX_MESSAGE_BYTES),
};
const COMPACTED = { ...EVERY_TOPIC, 'cleanup.policy': 'compact' };
/** Tables that are read from the start at every rebalance are compacted early. */
const COMPACTED_STATE = { ...COMPACTED, 'min.cleanable.dirty.ratio': '0.1' };
/** Dead letters and the quarantine: the last record of a key counts, and also expires with age. */
export const LETTERS_POLICY = 'compact,delete';
const lettersFor = (days: number) => ({
  ...EVERY_TOPIC,
  'cleanup.policy': LETTERS_POLICY,
  'retention.ms': String(days * DAY_MS),
});
const keptFor = (retentionMs: number) => ({
  ...EVERY_TOPIC,
  'cleanup.policy': 'delete',
  'retention.ms': String(retentionMs),
});

/**
 * The time for which delivery topics keep records, unless a subscription states otherwise or the customer is paused or
 * disabled.
 */
export const DELIVERY_RETENTION_MS = DEFAULT_RETENTION.deliveryDays * DAY_MS;

/** The period that an audit usually covers. */
const AUDIT_RETENTION_MS = 365 * DAY_MS;

/** The topics that the service itself needs, without intake topics. */
export function systemTopics(): TopicSpec[] {
  return [
    { topic: SUBSCRIPTIONS_TOPIC, partitions: SUBSCRIPTIONS_PARTITIONS, config: COMPACTED_STATE },
    // It has as many partitions as the subscriptions topic: the owner of a customer's partition there reads the same
    // one here.
    { topic: STATUS_TOPIC, partitions: SUBSCRIPTIONS_PARTITIONS, config: COMPACTED_STATE },
    { topic: ATTEMPTS_TOPIC, partitions: 8, config: keptFor(7 * DAY_MS) },
    { topic: AUDIT_TOPIC, partitions: 1, config: keptFor(AUDIT_RETENTION_MS) },
    { topic: CONTROL_PLANE_TOPIC, partitions: 1, config: COMPACTED_STATE },
    { topic: WORKERS_TOPIC, partitions: 1, config: COMPACTED_STATE },
    { topic: OPERATIONS_TOPIC, partitions: 1, config: COMPACTED_STATE },
    { topic: NOTICES_TOPIC, partitions: 1, config: keptFor(7 * DAY_MS) },
    { topic: NOTICES_TOLD_TOPIC, partitions: 1, config: COMPACTED_STATE },
    { topic: SESSIONS_TOPIC, partitions: 1, config: COMPACTED_STATE },
    { topic: IDEMPOTENCY_TOPIC, partitions: 1, config: COMPACTED_STATE },
    { topic: INVITATIONS_TOPIC, partitions: 1, config: COMPACTED_STATE },
    { topic: ERASED_TOPIC, partitions: 1, config: COMPACTED_STATE },
    { topic: CERTIFICATE_REQUESTS_TOPIC, partitions: 1, config: COMPACTED_STATE },
    { topic: WORKER_REQUESTS_TOPIC, partitions: 1, config: keptFor(2 * DAY_MS) },
    { topic: QUARANTINE_TOPIC, partitions: 1, config: lettersFor(QUARANTINE_DAYS) },
  ];
}

/**
 * All topics of one customer: main lane, retry lanes, dead letters. They have the default retention, which the control
 * plane adjusts to the subscription's own.
 */
export function customerTopics(customer: string, delays: readonly RetryDelay[] = DEFAULT_RETRY_DELAYS): TopicSpec[] {
  const { deliveryDays, retryDays, deadLetterDays } = DEFAULT_RETENTION;
  const lane = (topic: string, days: number) => ({ topic, partitions: 1, config: keptFor(days * DAY_MS) });
  return [
    lane(deliveryTopic(customer), deliveryDays),
    ...delays.map((delay) => lane(retryTopic(customer, delay), retryDays)),
    { topic: deadTopic(customer), partitions: 1, config: lettersFor(deadLetterDays) },
  ];
}

/** An event type's intake topic, if we create it ourselves: on a developer's machine and in tests. */
export function intakeTopic(topic: string, partitions = 6): TopicSpec {
  return {
    topic,
    partitions,
    config: { ...keptFor(7 * DAY_MS), 'max.message.bytes': String(INTAKE_MAX_MESSAGE_BYTES) },
  };
}
