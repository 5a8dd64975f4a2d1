import { type BatchResultErrorEntry, SendMessageBatchCommand, SQSClient } from '@aws-sdk/client-sqs';
import type { SqsDestination as SqsSettings } from '@databridge/schemas/subscription/destination';
import type { Outcome } from '../../attempt/outcome.ts';
import type { Destination, Message, Sent } from '../destination.ts';
import { UnderWay } from '../under-way.ts';
import { fifoFields, messageAttributes, sizeOf } from './aws-message.ts';
import { awsOutcome, outcomeOfCode } from './aws-outcome.ts';
import type { AwsRequests } from './aws-requests.ts';
import { type SnsOptions as AwsOptions, tooLarge } from './sns.ts';

/** https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessageBatch.html */
const MAX_ENTRIES = 10;
/** Of one message, and of all of a batch together. */
const MAX_BYTES = 1_048_576;

interface Waiting {
  readonly message: Message;
  readonly bytes: number;
  readonly finish: (sent: Sent | undefined) => void;
}

/**
 * An SQS queue, standard or FIFO. What is handed over in one turn of the event loop goes in batches of up to ten, so
 * that a lone event does not wait and a backlog goes ten at a time. What comes of an entry is its own.
 */
export class SqsDestination implements Destination {
  readonly #queueUrl: string;
  readonly #isFifo: boolean;
  readonly #client: SQSClient;
  readonly #requests: AwsRequests;
  #waiting: Waiting[] = [];
  readonly #underWay = new UnderWay();
  #isAborted = false;

  constructor({ queueUrl }: SqsSettings, { region, credentials, requests }: AwsOptions) {
    this.#queueUrl = queueUrl;
    this.#isFifo = new URL(queueUrl).pathname.endsWith('.fifo');
    this.#requests = requests;
    // Ours is the only retry. The queue's URL is where it is, in whatever cloud or network.
    this.#client = new SQSClient({
      region,
      credentials,
      maxAttempts: 1,
      requestHandler: requests,
      endpoint: new URL(queueUrl).origin,
    });
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
    await this.#requests.close();
  }

  async abort(): Promise<void> {
    this.#isAborted = true;
    await this.#requests.abort();
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
      ...fifoFields(message.eventId, this.#isFifo),
    }));
    try {
      const { Failed = [] } = await this.#client.send(
        new SendMessageBatchCommand({ QueueUrl: this.#queueUrl, Entries }),
      );
      const failures = new Map(Failed.map((failure) => [failure.Id, failure]));
      for (const [index, { finish }] of batch.entries()) finish({ outcome: entryOutcome(failures.get(String(index))) });
    } catch (error) {
      if (batch.length > 1 && isBatchTooLong(error)) {
        const half = Math.ceil(batch.length / 2);
        await Promise.all([this.#sendBatch(batch.slice(0, half)), this.#sendBatch(batch.slice(half))]);
        return;
      }
      const sent = this.#isAborted ? undefined : failed(error);
      for (const { finish } of batch) finish(sent);
    }
  }
}

/** A bug must not leave deliveries waiting for ever. */
function failed(error: unknown): Sent {
  try {
    return { outcome: awsOutcome(error) };
  } catch (bug) {
    return { outcome: { kind: 'internal', reason: String(bug) } };
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

function entryOutcome(failure: BatchResultErrorEntry | undefined): Outcome {
  if (!failure) return { kind: 'delivered', status: 200 };
  return outcomeOfCode(failure.Code ?? 'Unknown', failure.Message ?? '', failure.SenderFault ? 400 : 500);
}

/** Another SQS, or an older limit, takes less than ours in one batch. */
function isBatchTooLong(error: unknown): boolean {
  return (error as Error).name.endsWith('BatchRequestTooLong');
}
