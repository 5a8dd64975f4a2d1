import { EgressPolicy } from '@databridge/kernel/egress/egress-policy';
import { parseSubscription, type Subscription } from '@databridge/schemas/subscription/subscription';
import { egressIssues } from './outgoing-urls.ts';

const STRICT = new EgressPolicy({ allowCidrs: [], denyCidrs: [], allowHttp: false });
const LOOSE = new EgressPolicy({ allowCidrs: ['10.0.0.0/8'], denyCidrs: [], allowHttp: true });

function sentTo(url: string, customer = 'acme'): Subscription {
  const parsed = parseSubscription({
    customer,
    eventTypes: ['root-cause'],
    match: 'everything',
    destination: { type: 'http', url },
  });
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.issues));
  return parsed.subscription;
}

test.each([
  ['https://10.0.0.1/', 'has the host 10.0.0.1, which is a private address, and not public'],
  ['http://acme.example/', 'must use https: plain http is not allowed here'],
  ['https://acme.example:25/', 'has the port 25, where something else than HTTP is spoken'],
])('%s is a mistake of the destination’s URL', (url, message) => {
  expect(egressIssues(sentTo(url), STRICT)).toEqual([{ path: ['destination', 'url'], message }]);
});

test('what the configuration allows is none', () => {
  expect(egressIssues(sentTo('http://10.0.0.1/'), LOOSE)).toEqual([]);
  expect(egressIssues(sentTo('https://acme.example/'), STRICT)).toEqual([]);
});

test('token endpoints, queues and endpoints of AWS are checked as well', () => {
  const placesOf = (destination: object) =>
    egressIssues(
      {
        ...sentTo('https://acme.example/'),
        destination,
        authentication: { type: 'oauth', tokenUrl: 'https://169.254.169.254/token' },
      } as unknown as Subscription,
      STRICT,
    ).map(({ path }) => path.join('.'));
  expect(placesOf({ type: 'sqs', queueUrl: 'https://127.0.0.1/1/q' })).toEqual([
    'destination.queueUrl',
    'authentication.tokenUrl',
  ]);
  expect(placesOf({ type: 'sns', topicArn: 'arn:…', endpoint: 'https://[::1]/' })).toEqual([
    'destination.endpoint',
    'authentication.tokenUrl',
  ]);
});
