import { z } from 'zod';
import { url } from '../../subscription/url-rules.ts';
import { fifoFields, messageAttributes, sizeOf } from '../aws/message-fields.ts';
import { region, regionIssues, regionOfHost } from '../aws/region.ts';
import { destinationKind } from '../kind.ts';
import { timeSettings } from '../time-limits.ts';
import { batchResult } from './batch-result.ts';

/** https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessageBatch.html */
const MAX_ENTRIES = 10;
const MAX_BYTES = 1_048_576;

/** A text that is no URL is reported by another rule. */
function isQueuePath(url: URL | null): boolean {
  return url === null || (/^\/.*\/[\w-]{1,80}(\.fifo)?$/.test(url.pathname) && url.search === '');
}

/** An SQS queue, standard or FIFO. */
export const sqs = destinationKind({
  title: 'Amazon SQS queue',
  transport: 'aws',
  schema: z.strictObject({
    type: z.literal('sqs'),
    queueUrl: url.refine(
      (text) => isQueuePath(URL.parse(text)),
      'is not the URL of an SQS queue, such as https://sqs.eu-west-1.amazonaws.com/123456789012/events',
    ),
    region: region.optional(),
    ...timeSettings,
  }),
  authentications: ['aws'],
  urls: ['queueUrl'],
  issues: (settings) => regionIssues(settings, 'queueUrl'),
  label: ({ queueUrl }) => queueUrl,
  address: ({ queueUrl, region: given }) => [queueUrl, given],
  recipients: ({ queueUrl, region: given }) => ({
    // The region and the account, without the queue's name.
    'destination.queueUrl': queueUrl.split('/').slice(0, -1).join('/').toLowerCase(),
    'destination.region': given ?? '',
  }),
  service: ({ queueUrl, region: given }) => ({
    name: 'SQS',
    signingName: 'sqs',
    region: given ?? regionOfHost(queueUrl) ?? '',
    // The queue's URL is its address, in any cloud or network.
    url: new URL(new URL(queueUrl).origin),
    maxEntries: MAX_ENTRIES,
    maxBytes: MAX_BYTES,
    sizeOf,
    request: (messages) => ({
      headers: {
        'content-type': 'application/x-amz-json-1.0',
        'x-amz-target': 'AmazonSQS.SendMessageBatch',
        // With this header, errors have the codes of the older protocol in a header, which are more specific.
        'x-amzn-query-mode': 'true',
      },
      body: JSON.stringify({
        QueueUrl: queueUrl,
        Entries: messages.map((message, index) => ({
          Id: String(index),
          MessageBody: message.body.toString(),
          MessageAttributes: messageAttributes(message),
          ...fifoFields(message, new URL(queueUrl).pathname.endsWith('.fifo')),
        })),
      }),
    }),
    result: batchResult,
  }),
});
