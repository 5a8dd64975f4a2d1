import { jsonErrorOf, outcomeOfCode } from './aws-outcome.ts';
import { endpointOf } from './region.ts';

test('the code of an error in AWS JSON: its type, or what the older protocol calls it', () => {
  const body = JSON.stringify({ __type: 'com.amazonaws.sqs#QueueDoesNotExist', message: 'no such queue' });
  expect(jsonErrorOf({ status: 400, headers: {}, body })).toEqual({
    code: 'com.amazonaws.sqs#QueueDoesNotExist',
    message: 'no such queue',
  });
  const headers = { 'x-amzn-query-error': 'AWS.SimpleQueueService.NonExistentQueue;Sender' };
  expect(jsonErrorOf({ status: 400, headers, body }).code).toBe('AWS.SimpleQueueService.NonExistentQueue');
  expect(jsonErrorOf({ status: 502, headers: {}, body: '<html>' })).toEqual({
    code: 'Unreadable',
    message: 'status 502',
  });
});

test.each([
  ['arn:aws:sns:eu-west-1:123456789012:events', 'https://sns.eu-west-1.amazonaws.com/'],
  ['arn:aws-cn:sns:cn-north-1:123456789012:events', 'https://sns.cn-north-1.amazonaws.com.cn/'],
  ['arn:aws-us-gov:sns:us-gov-west-1:123456789012:events', 'https://sns.us-gov-west-1.amazonaws.com/'],
  ['arn:aws-eusc:sns:eusc-de-east-1:123456789012:events', 'https://sns.eusc-de-east-1.amazonaws.eu/'],
])('%s is published at %s', (arn, url) => {
  expect(endpointOf(arn, undefined).href).toBe(url);
  expect(endpointOf(arn, 'https://vpce-1.sns.example/').href).toBe('https://vpce-1.sns.example/');
});

test.each([
  ['InvalidSignatureException', 'deauthorized'],
  ['com.amazonaws.events#InvalidSignatureException', 'deauthorized'],
  ['AuthFailure', 'deauthorized'],
  ['TokenRefreshRequired', 'deauthorized'],
  ['SubscriptionRequiredException', 'deauthorized'],
  ['KMS.DisabledException', 'deauthorized'],
  ['com.amazonaws.sqs#KmsDisabled', 'deauthorized'],
  ['KMSInvalidState', 'deauthorized'],
  ['KMS.NotFoundException', 'deauthorized'],
  ['KMS.AccessDeniedException', 'deauthorized'],
  ['KmsThrottled', 'retry'],
  ['KMS.ThrottlingException', 'retry'],
  ['LimitExceededException', 'retry'],
  ['ProvisionedThroughputExceededException', 'retry'],
  ['RequestInTheFuture', 'retry'],
  ['InternalServerError', 'retry'],
  ['AWS.SimpleQueueService.QueueDeletedRecently', 'retry'],
  ['AWS.SimpleQueueService.NonExistentQueue', 'refused'],
  ['InvalidMessageContents', 'refused'],
  ['NotFound', 'refused'],
])('%s with the status 400 is %s', (code, kind) => {
  expect(outcomeOfCode(code, 'why', 400).kind).toBe(kind);
});
