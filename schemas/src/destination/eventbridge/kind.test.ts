import { changedRecipients } from '../../rights/secret-recipients.ts';
import { formatIssues, parseSubscription } from '../../subscription/subscription.ts';
import type { Message } from '../message.ts';
import { entryOf, MAX_BYTES, putEventsResult, sizeOf } from './put-events.ts';

const ARN = 'arn:aws:events:eu-west-1:123456789012:event-bus/events';
const DESTINATION = { type: 'eventbridge', eventBusArn: ARN };
const ROLE = { type: 'aws', roleArn: 'arn:aws:iam::123456789012:role/events' };
const mistakes = (parts: object) => {
  const parsed = parseSubscription({ customer: 'acme', eventTypes: ['root-cause'], match: 'everything', ...parts });
  return parsed.ok ? '' : formatIssues(parsed.issues);
};
const message = ({
  body = '{"statusCode":200}',
  ...given
}: Partial<Omit<Message, 'body'>> & { body?: string } = {}): Message => ({
  ...{ eventId: 'evt_1', eventType: 'root-cause', schemaVersion: 'v1.0', attempt: 1, traceparent: undefined },
  ...given,
  body: Buffer.from(body),
});

test('a subscription names the bus by its ARN, and authenticates by AWS alone', () => {
  expect(mistakes({ destination: DESTINATION, authentication: ROLE })).toBe('');
  expect(mistakes({ destination: DESTINATION })).toBe('authentication.type must be aws for eventbridge');
  expect(mistakes({ destination: { ...DESTINATION, eventBusArn: 'events' }, authentication: ROLE })).toBe(
    'destination.eventBusArn is not the ARN of an event bus, such as arn:aws:events:eu-west-1:123456789012:event-bus/events',
  );
  const unknown = { ...DESTINATION, eventBusArn: ARN.replace('arn:aws:', 'arn:aws-new:') };
  expect(mistakes({ destination: unknown, authentication: ROLE })).toMatch(/^destination.endpoint is missing: /);
  expect(mistakes({ destination: { ...unknown, endpoint: 'https://events.example/' }, authentication: ROLE })).toBe('');
});

test('another bus gets the secrets, another account or endpoint does not', () => {
  const changed = (change: object) => {
    const subscription = { destination: DESTINATION, authentication: ROLE } as never;
    return changedRecipients(subscription, {
      destination: { ...DESTINATION, ...change },
      authentication: ROLE,
    } as never);
  };
  expect(changed({ eventBusArn: `${ARN}-2` })).toEqual([]);
  expect(changed({ eventBusArn: ARN.replace('1234', '4321') })).toEqual(['destination.eventBusArn']);
  expect(changed({ endpoint: 'https://elsewhere.example/' })).toEqual(['destination.endpoint']);
});

test('an entry has the event as it is, and its id beside it', () => {
  const { Detail, ...rest } = entryOf(message({ attempt: 2, traceparent: '00-1-2-01' }));
  expect(rest).toEqual({ Source: 'databridge.events', DetailType: 'root-cause' });
  expect(JSON.parse(Detail)).toEqual({
    metadata: { eventId: 'evt_1', schemaVersion: 'v1.0', attempt: 2, traceparent: '00-1-2-01' },
    data: { statusCode: 200 },
  });
});

test('the size is counted in bytes, all fields together', () => {
  const empty = sizeOf(message({ body: '""' }));
  expect(sizeOf(message({ body: '"ü"' }))).toBe(empty + 2);
  expect(sizeOf(message({ body: JSON.stringify('x'.repeat(MAX_BYTES - empty)) }))).toBe(MAX_BYTES);
});

describe('the result of each entry', () => {
  const result = (status: number, body: object | string, count = 4) =>
    putEventsResult(
      { status, headers: {}, body: typeof body === 'string' ? body : JSON.stringify(body) },
      Array.from({ length: count }, () => message()),
    );

  test('in the order of the request; one that is not mentioned is sent again', () => {
    const Entries = [
      { EventId: '11710aed' },
      { ErrorCode: 'MalformedDetail', ErrorMessage: 'Detail is malformed.' },
      { ErrorCode: 'ThrottlingException', ErrorMessage: 'slow down' },
      { ErrorCode: 'InternalFailure', ErrorMessage: 'failed' },
    ];
    expect(result(200, { FailedEntryCount: 3, Entries }, 5)).toEqual({
      each: [
        { kind: 'delivered', status: 200 },
        { kind: 'refused', reason: 'MalformedDetail: Detail is malformed.', status: 400 },
        { kind: 'retry', reason: 'ThrottlingException: slow down', status: 429 },
        { kind: 'retry', reason: 'InternalFailure: failed', status: 500 },
        { kind: 'retry', reason: 'EventBridge did not say whether it accepted this event', status: 200 },
      ],
    });
  });

  test('of a request that is refused as a whole', () => {
    expect(result(400, { __type: 'ValidationException', message: 'over the limit' })).toMatchObject({
      all: { kind: 'refused' },
      mayBeOneMessage: true,
    });
    expect(result(400, { __type: 'ResourceNotFoundException', message: 'no bus' })).toMatchObject({
      all: { kind: 'refused' },
      mayBeOneMessage: false,
    });
    expect(result(400, { __type: 'AccessDeniedException' })).toMatchObject({ all: { kind: 'deauthorized' } });
    expect(result(200, '<html>')).toMatchObject({ all: { kind: 'retry' }, mayBeOneMessage: false });
  });
});
