import { decodeSubscription, parseSubscription, type Subscription } from '../subscription/subscription.ts';
import { ceilingsOf, withinCeilings } from './ceilings.ts';
import { narrowsFilter } from './narrowing.ts';
import { secretsToGiveAgain } from './secret-recipients.ts';

const BASE = { customer: 'acme', eventTypes: ['root-cause'], match: { company: ['ACME'] } };

function parsed(more: object): Subscription {
  const answer = parseSubscription({ ...BASE, ...more });
  if (!answer.ok) throw new Error(JSON.stringify(answer.issues));
  return answer.subscription;
}

const mistakes = (more: object) => {
  const answer = parseSubscription({ ...BASE, destination: { type: 'http', url: 'https://a.example/' }, ...more });
  return answer.ok ? [] : answer.issues.map(({ path }) => path.join('.'));
};

test.each([
  [undefined, ['match']],
  [null, ['match']],
  [{}, ['match.company']],
  [[], ['match']],
  ['*', ['match']],
  [{ company: [] }, ['match.company']],
  [{ company: [''] }, ['match.company.0']],
  [{ company: '*' }, ['match.company']],
  [{ folder: ['Support'] }, ['match.company']],
  [{ organisation: ['NA'], folder: ['Support'] }, ['match.company']],
  ['everything', []],
  [{ company: 'everything', folder: ['Support'] }, []],
  [{ company: ['ACME'] }, []],
])('of a new subscription, match %j is refused at %j', (match, places) => {
  expect(mistakes({ match })).toEqual(places);
});

test('a stored subscription without companies keeps working, and says what it means', () => {
  const stored = { ...parsed({ destination: { type: 'http', url: 'https://a.example/' } }) };
  const decoded = (match: object | undefined) => {
    const answer = decodeSubscription('acme', Buffer.from(JSON.stringify({ ...stored, match })));
    return answer.ok ? answer.subscription.match : answer.issues;
  };
  expect(decoded(undefined)).toBe('everything');
  expect(decoded({})).toBe('everything');
  expect(decoded({ folder: ['x'] })).toEqual({ company: 'everything', folder: ['x'] });
});

test.each([
  'User-Agent',
  'via',
  'X-Forwarded-For',
  'x_forwarded_host',
  'HTTP2-Settings',
  'Sec-Fetch-Site',
  'Forwarded',
  'proxy-x',
])('the header %s is not for customers, wherever they may name one', (name) => {
  const destination = { type: 'http', url: 'https://a.example/', headers: { [name]: 'x' } };
  const oauth = {
    type: 'oauth',
    tokenUrl: 'https://t.example/',
    clientId: 'c',
    clientSecret: 's',
    headers: { [name]: 'x' },
  };
  expect(mistakes({ destination })).not.toEqual([]);
  expect(mistakes({ authentication: { type: 'api-key', name, key: 'k' } })).toEqual(['authentication.name']);
  expect(mistakes({ authentication: oauth })).not.toEqual([]);
});

test.each([
  ['event.a == 1 && event.b', true],
  ['event.b && (event.a == 1)', true],
  ['event.a == 1', true],
  ['event.a == 1 || event.b', false],
  ['true', false],
  ['event.a == 1 ? true : true', false],
  ['event.a == 1 && event.b || event.c', false],
  ['event.a == "1"', false],
  ['no CEL (', false],
])('%s narrows event.a == 1: %s', (filter, expected) => {
  expect(narrowsFilter(filter, 'event.a == 1')).toBe(expected);
});

const http = (url: string) => ({ type: 'http', url });
const apiKey = { type: 'api-key', name: 'x-key', key: '[secret]' };
const oauth = (tokenUrl: string) => ({ type: 'oauth', tokenUrl, clientId: 'c', clientSecret: '[secret]' });
const aws = { type: 'aws', accessKeyId: 'AKIAIOSFODNN7EXAMPLE', secretAccessKey: '[secret]' };
const sns = (topicArn: string, endpoint?: string) => ({ type: 'sns', topicArn, ...(endpoint && { endpoint }) });
const arn = 'arn:aws:sns:eu-west-1:123456789012:events';

test.each<[string, object, object, string[]]>([
  [
    'another path',
    { destination: http('https://a.example/x'), authentication: apiKey },
    { destination: http('https://a.example/y') },
    [],
  ],
  [
    'the usual port, written',
    { destination: http('https://a.example/'), authentication: apiKey },
    { destination: http('https://a.example:443/') },
    [],
  ],
  [
    'another host',
    { destination: http('https://a.example/'), authentication: apiKey },
    { destination: http('https://b.example/') },
    ['authentication.key'],
  ],
  [
    'another port',
    { destination: http('https://a.example/'), authentication: apiKey },
    { destination: http('https://a.example:8443/') },
    ['authentication.key'],
  ],
  [
    'another scheme',
    { destination: http('https://a.example/'), authentication: apiKey },
    { destination: http('http://a.example/') },
    ['authentication.key'],
  ],
  [
    'another token endpoint',
    { destination: http('https://a.example/'), authentication: oauth('https://t.example/') },
    { authentication: oauth('https://evil.example/') },
    ['authentication.clientSecret'],
  ],
  [
    'tokens to another host',
    { destination: http('https://a.example/'), authentication: oauth('https://t.example/') },
    { destination: http('https://evil.example/') },
    ['authentication.clientSecret'],
  ],
  ['another topic', { destination: sns(arn), authentication: aws }, { destination: sns(`${arn}-2`) }, []],
  [
    'another AWS account',
    { destination: sns(arn), authentication: aws },
    { destination: sns(arn.replace('1234', '4321')) },
    ['authentication.secretAccessKey'],
  ],
  [
    'another AWS region',
    { destination: sns(arn), authentication: aws },
    { destination: sns(arn.replace('west', 'north')) },
    ['authentication.secretAccessKey'],
  ],
  [
    'an AWS endpoint',
    { destination: sns(arn), authentication: aws },
    { destination: sns(arn, 'https://evil.example/') },
    ['authentication.secretAccessKey'],
  ],
])('%s: the secrets to give again', (_what, before, change, places) => {
  const [was, is] = [parsed(before), parsed({ ...before, ...change })];
  expect(secretsToGiveAgain(was, is, (secret) => secret === '[secret]').places).toEqual(places);
});

test('ceilings bound what counts, and have defaults that an operator’s own setting raises', () => {
  const limited = (more: object) => parsed({ destination: http('https://a.example/'), ...more });
  expect(ceilingsOf(limited({}))).toEqual({ ratePerSecond: 10_000, maxInFlight: 256 });
  expect(ceilingsOf(limited({ maxInFlight: 1_000 }))).toMatchObject({ maxInFlight: 1_000 });
  expect(withinCeilings(limited({}))).not.toHaveProperty('ratePerSecond');
  const low = limited({ maxInFlight: 64, ceilings: { maxInFlight: 5, ratePerSecond: 2 } });
  expect(withinCeilings(low)).toMatchObject({ maxInFlight: 5, ratePerSecond: 2 });
});
