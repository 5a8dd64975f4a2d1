import { PublishCommand, SNSClient } from '@aws-sdk/client-sns';
import type { SnsDestination as SnsSettings } from '@databridge/schemas/subscription/destination';
import type { Outcome } from '../../attempt/outcome.ts';
import type { AwsCredentials } from '../../authorization/aws-credentials.ts';
import type { Destination, Message, Sent } from '../destination.ts';
import type { Redaction } from '../redaction.ts';
import { UnderWay } from '../under-way.ts';
import { fifoFields, messageAttributes, sizeOf } from './aws-message.ts';
import { awsOutcome } from './aws-outcome.ts';
import type { AwsRequests } from './aws-requests.ts';

/** https://docs.aws.amazon.com/sns/latest/api/API_Publish.html */
const MAX_BYTES = 262_144;

export interface SnsOptions {
  readonly region: string;
  readonly credentials: AwsCredentials;
  readonly requests: AwsRequests;
  readonly redaction: Redaction;
}

/** An SNS topic, standard or FIFO. */
export class SnsDestination implements Destination {
  readonly #topicArn: string;
  readonly #open: () => SNSClient;
  readonly #options: SnsOptions;
  readonly #underWay = new UnderWay();
  #client: SNSClient;
  #isAborted = false;

  constructor({ topicArn, endpoint }: SnsSettings, options: SnsOptions) {
    const { region, credentials, requests } = options;
    this.#topicArn = topicArn;
    this.#options = options;
    this.#open = () =>
      new SNSClient({
        region,
        credentials,
        // Retries are our own.
        maxAttempts: 1,
        requestHandler: requests,
        ...(endpoint !== undefined && { endpoint }),
      });
    this.#client = this.#open();
  }

  send(message: Message): Promise<Sent | undefined> {
    return this.#underWay.track(this.#publish(message));
  }

  async close(): Promise<void> {
    await this.#underWay.ended();
    await this.#options.requests.close();
  }

  async abort(): Promise<void> {
    this.#isAborted = true;
    await this.#options.requests.abort();
  }

  async #publish(message: Message): Promise<Sent | undefined> {
    const bytes = sizeOf(message);
    if (bytes > MAX_BYTES) return { outcome: { kind: 'refused', reason: tooLarge(bytes, MAX_BYTES, 'SNS') } };
    const command = new PublishCommand({
      TopicArn: this.#topicArn,
      Message: message.body,
      MessageAttributes: messageAttributes(message),
      ...fifoFields(message, this.#topicArn.endsWith('.fifo')),
    });
    try {
      await this.#client.send(command);
      return { outcome: { kind: 'delivered', status: 200 } };
    } catch (error) {
      return this.#isAborted ? undefined : { outcome: this.#judge(error) };
    }
  }

  #judge(error: unknown): Outcome {
    const { credentials, redaction } = this.#options;
    const outcome = awsOutcome(error, redaction);
    // The client keeps the credentials that it was given until they expire.
    if (outcome.kind === 'deauthorized' && credentials.rejected()) this.#client = this.#open();
    return outcome;
  }
}

export function tooLarge(bytes: number, maxBytes: number, service: string): string {
  return `too large: ${bytes} bytes, and ${service} takes ${maxBytes}`;
}
