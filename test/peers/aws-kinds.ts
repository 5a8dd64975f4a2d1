import type { Kind } from '../contract/destination-suite.ts';
import type { Manner } from '../harness/services/front.ts';

/** What SQS answers (AWS JSON 1.0) and SNS (AWS query) on bad days: emulators have none. */
const json = (status: number, code: string): Manner => ({
  status,
  headers: { 'content-type': 'application/x-amz-json-1.0', 'x-amzn-query-error': `${code};Sender` },
  body: JSON.stringify({ __type: `com.amazonaws.sqs#${code}`, message: 'said so' }),
});
const xml = (status: number, code: string): Manner => ({
  status,
  headers: { 'content-type': 'text/xml' },
  body: `<ErrorResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/"><Error><Type>Sender</Type><Code>${code}</Code><Message>said so</Message></Error><RequestId>1</RequestId></ErrorResponse>`,
});

const answersBy = (shape: typeof json): Kind['answers'] => ({
  retryable: shape(503, 'ServiceUnavailable'),
  refused: shape(400, 'InvalidParameterValue'),
  throttled: shape(400, 'ThrottlingException'),
  unauthorized: shape(400, 'UnrecognizedClientException'),
});

export const sqsAnswers = answersBy(json);
export const snsAnswers = answersBy(xml);
