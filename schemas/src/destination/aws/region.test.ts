import { parseSubscription } from '../../subscription/subscription.ts';
import { regionOfHost } from './region.ts';

test.each([
  ['https://sqs.eu-west-1.amazonaws.com/1/q', 'eu-west-1'],
  ['https://sqs.eusc-de-east-1.amazonaws.eu/1/q', 'eusc-de-east-1'],
  ['https://sqs.cn-north-1.amazonaws.com.cn/1/q', 'cn-north-1'],
  ['https://sqs.us-isob-east-1.sc2s.sgov.gov/1/q', 'us-isob-east-1'],
  ['https://sqs.us-gov-west-1.amazonaws.com/1/q', 'us-gov-west-1'],
  ['https://sqs-fips.us-east-1.amazonaws.com/1/q', 'us-east-1'],
  ['https://sqs.us-east-1.api.aws/1/q', 'us-east-1'],
  ['https://vpce-1a-2b.sqs.eu-west-1.vpce.amazonaws.com/1/q', 'eu-west-1'],
  ['https://eu-west-1.queue.amazonaws.com/1/q', 'eu-west-1'],
  ['https://queue.amazonaws.com/1/q', 'us-east-1'],
  ['https://abc.execute-api.eusc-de-east-1.amazonaws.eu/prod', 'eusc-de-east-1'],
  ['https://abc-vpce-1a.execute-api.ap-southeast-10.amazonaws.com/prod', 'ap-southeast-10'],
  ['https://abc.execute-api-fips.us-east-1.api.aws/prod', 'us-east-1'],
  ['https://queue.team-1.example.com/1/q', undefined],
  ['https://sqs.example.com/1/q', undefined],
  ['no URL', undefined],
])('%s is in the region %s', (url, region) => {
  expect(regionOfHost(url)).toBe(region);
});

const KEYS = {
  type: 'aws',
  accessKeyId: 'AKIAIOSFODNN7EXAMPLE',
  secretAccessKey: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY',
};

test.each([
  { type: 'sqs', queueUrl: 'https://sqs.eusc-de-east-1.amazonaws.eu/123456789012/events' },
  { type: 'sqs', queueUrl: 'https://queue.internal.example/123456789012/events', region: 'eusc-de-east-1' },
  { type: 'api-gateway', url: 'https://abc.execute-api.eusc-de-east-1.amazonaws.eu/prod' },
  { type: 'sns', topicArn: 'arn:aws-iso-f:sns:us-isof-south-1:123456789012:events.fifo' },
  { type: 'sns', topicArn: 'arn:aws-eusc:sns:eusc-de-east-1:123456789012:events' },
])('accepted: %j', (destination) => {
  const parsed = parseSubscription({
    ...{ customer: 'acme', eventTypes: ['root-cause'], match: 'everything' },
    ...{ destination, authentication: KEYS },
  });
  expect(parsed.ok ? [] : parsed.issues.filter(({ path }) => path[0] !== 'match')).toEqual([]);
});

test.each(['not-a-region', '', 'EU-west-1', 'eu-west-1 '])('an SNS topic in "%s" is refused', (region) => {
  const destination = { type: 'sns', topicArn: `arn:aws:sns:${region}:123456789012:events` };
  const base = { customer: 'acme', eventTypes: ['root-cause'], match: 'everything' };
  const parsed = parseSubscription({ ...base, destination, authentication: KEYS });
  expect(parsed.ok ? [] : parsed.issues.map(({ path }) => path.join('.'))).toEqual(['destination.topicArn']);
});
