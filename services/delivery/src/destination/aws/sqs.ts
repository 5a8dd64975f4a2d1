import { type BatchResultErrorEntry, SendMessageBatchCommand, SQSClient } from '@aws-sdk/client-sqs';
import type { SqsDestination as SqsSettings } from '@databridge/schemas/subscription/destination';
import type { Outcome } from '../../attempt/outcome.ts';
import type { Destination, Message, Sent } from '../destination.ts';
import { UnderWay } from '../under-way.ts';
import { fifoFields, messageAttributes, sizeOf } from './aws-message.ts';
import { awsOutcome, outcomeOfCode, redacted } from './aws-outcome.ts';
import { type SnsOptions as AwsOptions, tooLarge } from './sns.ts';

/** https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessageBatch.html */
const MAX_ENTRIES = 10;
/** Of one message, and of all messages of a batch together. */
const MAX_BYTES = 1_048_576;

interface Waiting {
  readonly message: Message;
  readonly bytes: number;
  readonly finish: (sent: Sent | undefined) => void;
}

/**
 * An SQS queue, standard or FIFO. Messages that are handed over in one turn of the event loop are sent in batches of up
 * to ten, so that a single event does not wait and a backlog goes ten at a time. Each entry has an outcome of its own. A
 * batch that SQS refuses as a whole is split in halves until the message that it refuses is alone.
 */
export class SqsDestination implements Destination {
  readonly #queueUrl: string;
  readonly #isFifo: boolean;
  readonly #open: () => SQSClient;
  readonly #options: AwsOptions;
  readonly #underWay = new UnderWay();
  #waiting: Waiting[] = [];
  #client: SQSClient;
  #isAborted = false;

  constructor({ queueUrl }: SqsSettings, options: AwsOptions) {
    const { region, credentials, requests } = options;
    this.#queueUrl = queueUrl;
    this.#isFifo = new URL(queueUrl).pathname.endsWith('.fifo');
    this.#options = options;
    this.#open = () =>
      new SQSClient({
        region,
        credentials,
        // Retries are our own.
        maxAttempts: 1,
        requestHandler: requests,
        // The queue's URL says where it is, in any cloud or network.
        endpoint: new URL(queueUrl).origin,
      });
    this.#client = this.#open();
  }

  send(message: Message): Promise<Sent | undefined> {
    const bytes = sizeOf(message);
    if (bytes > MAX_BYTES) {
      return Promise.resolve({ outcome: { kind: 'refused', reason: tooLarge(bytes, MAX_BYTES, 'SQS') } });
    }
    const sent = new Promise<Sent | undefined>((finish) => {
      if (this.#waiting.length === 0) setImmediate(() => this.#sendWaiting());
      this.#waiting.push({ message, bytes, finish });
    });
    return this.#underWay.track(sent);
  }

  async close(): Promise<void> {
    await this.#underWay.ended();
    await this.#options.requests.close();
  }

  async abort(): Promise<void> {
    this.#isAborted = true;
    await this.#options.requests.abort();
  }

  #sendWaiting(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const batch of batchesOf(waiting)) void this.#sendBatch(batch);
  }

  async #sendBatch(batch: readonly Waiting[]): Promise<void> {
    const Entries = batch.map(({ message }, index) => ({
      Id: String(index),
      MessageBody: message.body,
      MessageAttributes: messageAttributes(message),
      ...fifoFields(message, this.#isFifo),
    }));
    try {
      const { Failed = [], Successful = [] } = await this.#client.send(
        new SendMessageBatchCommand({ QueueUrl: this.#queueUrl, Entries }),
      );
      const failures = new Map(Failed.map((failure) => [failure.Id, failure]));
      const successes = new Set(Successful.map(({ Id }) => Id));
      for (const [index, { finish }] of batch.entries()) {
        const outcome = entryOutcome(failures.get(String(index)), successes.has(String(index)));
        finish({ outcome: redacted(outcome, this.#options.redaction) });
      }
    } catch (error) {
      const sent = this.#isAborted ? undefined : this.#failed(error);
      if (batch.length > 1 && sent && mayBeOneEntry(error, sent.outcome)) {
        const half = Math.ceil(batch.length / 2);
        await Promise.all([this.#sendBatch(batch.slice(0, half)), this.#sendBatch(batch.slice(half))]);
        return;
      }
      for (const { finish } of batch) finish(sent);
    }
  }

  /** A bug must not leave deliveries waiting for ever. */
  #failed(error: unknown): Sent {
    const { credentials, redaction } = this.#options;
    try {
      const outcome = awsOutcome(error, redaction);
      // The client keeps the credentials that it was given until they expire.
      if (outcome.kind === 'deauthorized' && credentials.rejected()) this.#client = this.#open();
      return { outcome };
    } catch (bug) {
      return { outcome: { kind: 'internal', reason: String(bug) } };
    }
  }
}

function batchesOf(waiting: readonly Waiting[]): Waiting[][] {
  const batches: Waiting[][] = [];
  let current: Waiting[] = [];
  let bytes = 0;
  for (const one of waiting) {
    if (current.length === MAX_ENTRIES || bytes + one.bytes > MAX_BYTES) current = [];
    if (current.length === 0) {
      batches.push(current);
      bytes = 0;
    }
    current.push(one);
    bytes += one.bytes;
  }
  return batches;
}

function entryOutcome(failure: BatchResultErrorEntry | undefined, isAccepted: boolean): Outcome {
  if (failure) return outcomeOfCode(failure.Code ?? 'Unknown', failure.Message ?? '', failure.SenderFault ? 400 : 500);
  if (isAccepted) return { kind: 'delivered', status: 200 };
  return { kind: 'retry', reason: 'SQS did not say whether it accepted this message', status: 200 };
}

/** Refusals that concern the queue or the account: each half of the batch would get the same. */
const OF_THE_QUEUE =
  /(NonExistentQueue|QueueDoesNotExist|QueueDeletedRecently|InvalidAddress|UnsupportedOperation|Kms)/i;

/**
 * SQS refuses a batch as a whole for one message's characters, for the sum of the sizes (another SQS, or an older limit,
 * takes less than we assume), and a proxy before it for either.
 */
function mayBeOneEntry(error: unknown, outcome: Outcome): boolean {
  return outcome.kind === 'refused' && !OF_THE_QUEUE.test((error as Error).name);
}
