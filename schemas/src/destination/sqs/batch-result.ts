import { createHash } from 'node:crypto';
import { jsonErrorOf, jsonOf, outcomeOfCode } from '../aws/aws-outcome.ts';
import type { AwsAnswer, AwsResult } from '../aws/aws-service.ts';
import type { Message } from '../message.ts';
import type { Outcome } from '../outcome.ts';

interface Accepted {
  readonly Id?: string;
  readonly MD5OfMessageBody?: string;
}

interface Failed {
  readonly Id?: string;
  readonly Code?: string;
  readonly Message?: string;
  readonly SenderFault?: boolean;
}

/** Refusals that concern the queue or the account: each half of the batch would get the same. */
const OF_THE_QUEUE =
  /(NonExistentQueue|QueueDoesNotExist|QueueDeletedRecently|InvalidAddress|UnsupportedOperation|Kms)/i;

/** Reads the answer to `SendMessageBatch`: each entry has an outcome of its own, or the whole batch failed. */
export function batchResult(answer: AwsAnswer, messages: readonly Message[]): AwsResult {
  const json = answer.status < 300 ? jsonOf(answer) : undefined;
  if (json === undefined) {
    const { code, message } = jsonErrorOf(answer);
    const all = outcomeOfCode(code, message, answer.status);
    // SQS refuses a whole batch for the characters of one message, or because its own limit of size is lower than the
    // assumed one.
    return { all, mayBeOneMessage: all.kind === 'refused' && !OF_THE_QUEUE.test(code) };
  }
  const failed = new Map(listOf<Failed>(json['Failed']).map((entry) => [entry.Id, entry]));
  const accepted = new Map(listOf<Accepted>(json['Successful']).map((entry) => [entry.Id, entry]));
  return {
    each: messages.map((message, index) =>
      entryOutcome(message, failed.get(String(index)), accepted.get(String(index))),
    ),
  };
}

const listOf = <T>(value: unknown): readonly T[] => (Array.isArray(value) ? (value as T[]) : []);

function entryOutcome(message: Message, failed: Failed | undefined, accepted: Accepted | undefined): Outcome {
  if (failed) return outcomeOfCode(failed.Code ?? 'Unknown', failed.Message ?? '', failed.SenderFault ? 400 : 500);
  if (!accepted) return { kind: 'retry', reason: 'SQS did not say whether it accepted this message', status: 200 };
  const md5 = createHash('md5').update(message.body).digest('hex');
  if (accepted.MD5OfMessageBody === md5) return { kind: 'delivered', status: 200 };
  return { kind: 'retry', reason: `the MD5 checksum of the message that SQS received differs: ${md5} was sent` };
}
