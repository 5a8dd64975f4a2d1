/** Turns events into requests to an AWS service, and interprets its answers. Pure: delivery signs and sends. */
import type { Message } from '../message.ts';
import type { Outcome } from '../outcome.ts';

export interface AwsAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}

/** The results of the messages of one request. */
export type AwsResult =
  /** A result for each message, in the order of the request. */
  | { readonly each: readonly Outcome[] }
  /**
   * One result for all of them. `mayBeOneMessage`: the service may accept the others without the message that it
   * refuses.
   */
  | { readonly all: Outcome; readonly mayBeOneMessage: boolean };

export interface AwsService {
  /** The name for messages, such as "SQS". */
  readonly name: string;
  /** The service's name in the signature, such as `sqs`. */
  readonly signingName: string;
  readonly region: string;
  readonly url: URL;
  /** The limit of messages per request. */
  readonly maxEntries: number;
  /** The limit of one message in bytes, which is also that of all messages of a request together. */
  readonly maxBytes: number;
  /** The size of a message in bytes, as the service counts. */
  sizeOf(message: Message): number;
  /** The headers and the body of a POST request. */
  request(messages: readonly Message[]): { readonly headers: Readonly<Record<string, string>>; readonly body: string };
  result(answer: AwsAnswer, messages: readonly Message[]): AwsResult;
}
