import { EgressPolicy } from '@databridge/kernel/egress/egress-policy';
import { parseSubscription, type Subscription } from '@databridge/schemas/subscription';
import { egressIssues, hostWarnings, type LookUp } from './outgoing-urls.ts';

const STRICT = new EgressPolicy({ allowCidrs: [], denyCidrs: [], allowHttp: false });
const LOOSE = new EgressPolicy({ allowCidrs: ['10.0.0.0/8'], denyCidrs: [], allowHttp: true });

function sentTo(url: string, customer = 'acme'): Subscription {
  const parsed = parseSubscription({ customer, eventTypes: ['root-cause'], destination: { type: 'http', url } });
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

test('token servers, queues and endpoints are judged as well', () => {
  const subscription = {
    ...sentTo('https://acme.example/'),
    destination: { type: 'sqs', queueUrl: 'https://127.0.0.1/1/q', endpoint: 'https://[::1]/' },
    authentication: { type: 'oauth', tokenUrl: 'https://169.254.169.254/token' },
  } as unknown as Subscription;
  expect(egressIssues(subscription, STRICT).map(({ path }) => path.join('.'))).toEqual([
    'destination.endpoint',
    'destination.queueUrl',
    'authentication.tokenUrl',
  ]);
});

describe('warnings', () => {
  const names: Record<string, string[]> = {
    'public.example': ['93.184.216.34', '2606:4700::1'],
    'private.example': ['93.184.216.34', '10.1.2.3'],
  };
  const asked: string[] = [];
  const lookUp: LookUp = async (hostname) => {
    asked.push(hostname);
    const addresses = names[hostname];
    if (addresses === undefined) throw Object.assign(new Error('not found'), { code: 'ENOTFOUND' });
    return addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }));
  };

  test('tell of names that lead where nothing may be sent, or nowhere', async () => {
    const given = ['public', 'private', 'unknown', 'private'].map((name, index) =>
      sentTo(`https://${name}.example/`, `c${index}`),
    );
    expect(await hostWarnings(given, STRICT, lookUp)).toEqual([
      {
        customer: 'c1',
        message:
          'destination.url: private.example leads to 10.1.2.3, which is a private address, and not public: events wait until that changes',
      },
      {
        customer: 'c2',
        message: "destination.url: unknown.example can't be resolved from here (ENOTFOUND): events wait until it can",
      },
      { customer: 'c3', message: expect.stringContaining('private.example leads to 10.1.2.3') },
    ]);
    expect(asked).toEqual(['public.example', 'private.example', 'unknown.example']);
  });

  test('are not given of what is allowed; addresses are not looked up', async () => {
    asked.length = 0;
    const given = [sentTo('https://private.example/'), sentTo('https://10.0.0.1/'), sentTo('https://[2606:4700::1]/')];
    expect(await hostWarnings(given, LOOSE, lookUp)).toEqual([]);
    expect(asked).toEqual(['private.example']);
  });
});
