import { PublishCommand, SNSClient } from '@aws-sdk/client-sns';
import type { SnsDestination as SnsSettings } from '@databridge/schemas/subscription/destination';
import type { AwsCredentials } from '../../authorization/aws-credentials.ts';
import type { Destination, Message, Sent } from '../destination.ts';
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
}

/** An SNS topic, standard or FIFO. */
export class SnsDestination implements Destination {
  readonly #topicArn: string;
  readonly #client: SNSClient;
  readonly #requests: AwsRequests;
  readonly #underWay = new UnderWay();
  #isAborted = false;

  constructor({ topicArn, endpoint }: SnsSettings, { region, credentials, requests }: SnsOptions) {
    this.#topicArn = topicArn;
    this.#requests = requests;
    this.#client = new SNSClient({
      region,
      credentials,
      // Ours is the only retry.
      maxAttempts: 1,
      requestHandler: requests,
      ...(endpoint !== undefined && { endpoint }),
    });
  }

  send(message: Message): Promise<Sent | undefined> {
    return this.#underWay.track(this.#publish(message));
  }

  async close(): Promise<void> {
    await this.#underWay.ended();
    await this.#requests.close();
  }

  async abort(): Promise<void> {
    this.#isAborted = true;
    await this.#requests.abort();
  }

  async #publish(message: Message): Promise<Sent | undefined> {
    const bytes = sizeOf(message);
    if (bytes > MAX_BYTES) return { outcome: { kind: 'refused', reason: tooLarge(bytes, MAX_BYTES, 'SNS') } };
    const command = new PublishCommand({
      TopicArn: this.#topicArn,
      Message: message.body,
      MessageAttributes: messageAttributes(message),
      ...fifoFields(message.eventId, this.#topicArn.endsWith('.fifo')),
    });
    try {
      await this.#client.send(command);
      return { outcome: { kind: 'delivered', status: 200 } };
    } catch (error) {
      return this.#isAborted ? undefined : { outcome: awsOutcome(error) };
    }
  }
}

export function tooLarge(bytes: number, maxBytes: number, service: string): string {
  return `too large: ${bytes} bytes, and ${service} takes ${maxBytes}`;
}
