import { meaningOf, shownDifferences, withField, withKind } from './draft.ts';
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
  const shown = shownDifferences(stored, draft, new Set(['/authentication/key']));
  expect(shown).toEqual([{ pointer: '/authentication/key', from: '"[secret]"', to: 'another secret' }]);
  expect(JSON.stringify(shown)).not.toContain('typed');
});

test('each kind of the schemas has fields, and secrets are recognised', () => {
  expect(DESTINATIONS.map(({ type }) => type)).toEqual(['http', 'api-gateway', 'sqs', 'sns', 'eventbridge', 'email']);
  const secrets = AUTHENTICATIONS.flatMap(({ type, fields }) =>
    fields.flatMap(({ name, kind: of }) => (of === 'secret' ? [`${type}.${name}`] : [])),
  );
  expect(secrets).toEqual(['basic.password', 'api-key.key', 'oauth.clientSecret', 'aws.secretAccessKey']);
});
