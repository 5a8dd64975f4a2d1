import {
  isShown,
  MASK,
  meaningOf,
  shownDifferences,
  typedSecrets,
  withField,
  withKind,
  withoutHidden,
  withoutTyped,
} from './draft.ts';
import type { Kind } from './fields.ts';
import { AUTHENTICATIONS, DESTINATIONS } from './kinds.ts';

const stored = {
  destination: { type: 'http', url: 'https://a.example/', gzip: true },
  authentication: { type: 'api-key', name: 'x-key', key: '[secret]' },
};
const kind = (type: string) => [...DESTINATIONS, ...AUTHENTICATIONS].find((one) => one.type === type) as never;

test('another kind keeps what both have, and never a secret', () => {
  expect(withKind(stored, 'destination', kind('api-gateway'))).toMatchObject({
    destination: { type: 'api-gateway', url: 'https://a.example/' },
  });
  expect(withKind(stored, 'destination', kind('sqs'))['destination']).toEqual({ type: 'sqs' });
  expect(withKind(stored, 'authentication', kind('api-key'))['authentication']).toEqual({
    type: 'api-key',
    name: 'x-key',
  });
});

test('fields of one way of client authentication are shown with it alone, and go with it', () => {
  const { fields } = kind('oauth') as Kind;
  const shown = (values: object) =>
    fields.filter((field) => isShown(field, values as never, fields)).map(({ name }) => name);
  expect(shown({})).toContain('clientSecret');
  expect(shown({})).not.toContain('clientKey');
  expect(shown({ clientAuthentication: 'private-key-jwt' })).toEqual(
    expect.arrayContaining(['clientKey', 'clientKeyId', 'assertionAudience']),
  );
  const bySecret = { authentication: { type: 'oauth', clientId: 'c', clientSecret: MASK } };
  const byKey = withField(bySecret, 'authentication', 'clientAuthentication', 'private-key-jwt');
  expect(withoutHidden(byKey, 'authentication', fields)).toEqual({
    authentication: { type: 'oauth', clientId: 'c', clientAuthentication: 'private-key-jwt' },
  });
});

test('a field that is emptied is left out; a section without fields too', () => {
  expect(withField(stored, 'destination', 'gzip', undefined)['destination']).not.toHaveProperty('gzip');
  const withCa = withField(stored, 'tls', 'ca', 'PEM');
  expect(withCa['tls']).toEqual({ ca: 'PEM' });
  expect(withField(withCa, 'tls', 'ca', undefined)).not.toHaveProperty('tls');
});

test.each([
  ['text', ' a ', 'a'],
  ['text', ' ', undefined],
  ['number', '7', 7],
  ['secret', ' spaces stay ', ' spaces stay '],
  ['map', '{"a":"b"}', { a: 'b' }],
  ['map', '{"a"', '{"a"'],
] as const)('%s %j means %j', (of, text, value) => {
  expect(meaningOf({ kind: of }, text)).toEqual(value);
});

test('what would change shows no secret that was typed', () => {
  const draft = withField(stored, 'authentication', 'key', 'typed');
  const shown = shownDifferences(stored, draft);
  expect(shown).toEqual([{ pointer: '/authentication/key', from: '"[secret]"', to: '"another secret"' }]);
  expect(JSON.stringify(shown)).not.toContain('typed');
});

test('secrets that were typed are taken out by their places, wherever secrets are kept', () => {
  const draft = {
    ...stored,
    authentication: { type: 'oauth', clientSecret: MASK, headers: { 'x-a': 'open', 'x-b': { secret: 'typed-1' } } },
    signing: { secrets: ['typed-2', MASK] },
    tls: { clientCertificate: 'PEM', clientKey: 'typed-3' },
  };
  expect(Object.fromEntries(typedSecrets(draft))).toEqual({
    'authentication.headers.x-b.secret': 'typed-1',
    'signing.secrets.0': 'typed-2',
    'tls.clientKey': 'typed-3',
  });
  expect(JSON.stringify(withoutTyped(draft))).not.toContain('typed');
  expect(withoutTyped(draft)['signing']).toEqual({ secrets: [MASK, MASK] });
  expect(JSON.stringify(shownDifferences(stored, draft))).not.toContain('typed');
});

test('each kind of the schemas has fields, and secrets are recognised', () => {
  expect(DESTINATIONS.map(({ type }) => type)).toEqual(['http', 'api-gateway', 'sqs', 'sns', 'eventbridge', 'email']);
  const secrets = AUTHENTICATIONS.flatMap(({ type, fields }) =>
    fields.flatMap(({ name, kind: of }) => (of === 'secret' ? [`${type}.${name}`] : [])),
  );
  expect(secrets).toEqual(['basic.password', 'api-key.key', 'oauth.clientSecret', 'aws.secretAccessKey']);
});
