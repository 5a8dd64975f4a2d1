import { outcomeOfCode, unreadable } from '../aws/aws-outcome.ts';
import type { AwsAnswer, AwsResult } from '../aws/aws-service.ts';

/** Reads an answer in the AWS query protocol: `PublishResponse` with a message id, or `ErrorResponse` with a code. */
export function publishResult(answer: AwsAnswer): AwsResult {
  const { status, body } = answer;
  if (status < 300 && elementOf(body, 'MessageId') !== undefined) return { each: [{ kind: 'delivered', status: 200 }] };
  const code = elementOf(body, 'Code');
  const error = code === undefined ? unreadable(answer) : { code, message: elementOf(body, 'Message') ?? '' };
  return { all: outcomeOfCode(error.code, error.message, status), mayBeOneMessage: false };
}

/** The text of an element. Answers of SNS have no attributes, comments or CDATA within these. */
function elementOf(xml: string, name: string): string | undefined {
  const text = new RegExp(`<${name}>([^<]*)</${name}>`).exec(xml)?.[1];
  return text?.replace(/&(lt|gt|quot|apos|amp);/g, (entity) => ENTITIES[entity] ?? entity);
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&lt;': '<',
  '&gt;': '>',
  '&quot;': '"',
  '&apos;': "'",
  '&amp;': '&',
};
