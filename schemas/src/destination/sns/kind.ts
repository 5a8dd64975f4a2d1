import { z } from 'zod';
import { url } from '../../subscription/url-rules.ts';
import { fifoFields, messageAttributes, sizeOf } from '../aws/message-fields.ts';
import { arnParts, endpointIssues, endpointOf, REGION } from '../aws/region.ts';
import { destinationKind, originOf } from '../kind.ts';
import { timeSettings } from '../time-limits.ts';
import { publishResult } from './publish-result.ts';

/** https://docs.aws.amazon.com/sns/latest/api/API_Publish.html */
const MAX_BYTES = 262_144;

/** An SNS topic, standard or FIFO. */
export const sns = destinationKind({
  title: 'Amazon SNS topic',
  transport: 'aws',
  schema: z.strictObject({
    type: z.literal('sns'),
    topicArn: z
      .string()
      .regex(
        new RegExp(`^arn:[a-z0-9-]+:sns:${REGION}:\\d{12}:[\\w-]{1,256}(\\.fifo)?$`),
        'is not the ARN of an SNS topic, such as arn:aws:sns:eu-west-1:123456789012:events',
      ),
    endpoint: url.optional(),
    ...timeSettings,
  }),
  authentications: ['aws'],
  urls: ['endpoint'],
  issues: (settings) => endpointIssues(settings, 'topicArn'),
  label: ({ topicArn }) => topicArn,
  address: ({ topicArn, endpoint }) => [topicArn, endpoint],
  recipients: ({ topicArn, endpoint }) => ({
    // The partition, region and account, without the topic's name.
    'destination.topicArn': topicArn.split(':').slice(0, -1).join(':'),
    'destination.endpoint': endpoint === undefined ? '' : originOf(endpoint),
  }),
  service: ({ topicArn, endpoint }) => ({
    name: 'SNS',
    signingName: 'sns',
    region: arnParts(topicArn).region,
    url: endpointOf(topicArn, endpoint),
    maxEntries: 1,
    maxBytes: MAX_BYTES,
    sizeOf,
    request: ([message]) => ({
      headers: { 'content-type': 'application/x-www-form-urlencoded; charset=utf-8' },
      body: message === undefined ? '' : publishForm(topicArn, message).toString(),
    }),
    result: publishResult,
  }),
});

/** The AWS query protocol, which is SNS's only one. */
function publishForm(topicArn: string, message: Parameters<typeof messageAttributes>[0]): URLSearchParams {
  const form = new URLSearchParams({
    Action: 'Publish',
    Version: '2010-03-31',
    TopicArn: topicArn,
    Message: message.body.toString(),
    ...fifoFields(message, topicArn.endsWith('.fifo')),
  });
  for (const [index, [name, attribute]] of Object.entries(messageAttributes(message)).entries()) {
    const entry = `MessageAttributes.entry.${index + 1}`;
    form.set(`${entry}.Name`, name);
    form.set(`${entry}.Value.DataType`, attribute.DataType);
    form.set(`${entry}.Value.StringValue`, attribute.StringValue);
  }
  return form;
}
