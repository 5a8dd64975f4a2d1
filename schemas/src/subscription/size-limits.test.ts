import { parseSubscription } from './subscription.ts';

const subscription = {
  ...{ customer: 'acme', eventTypes: ['root-cause'], match: { company: ['ACME'] } },
  destination: { type: 'http', url: 'https://example.com/' },
  authentication: { type: 'none' },
};
const messagesOf = (value: object) => {
  const parsed = parseSubscription(value);
  return parsed.ok ? [] : parsed.issues.map(({ path, message }) => `${path.join('.')} ${message}`.trim());
};

test('a subscription of more than 256 KiB is refused with its size', () => {
  const companies = (count: number) => ({
    ...subscription,
    match: { company: Array.from({ length: count }, (_, nth) => `company ${nth}`) },
  });
  expect(messagesOf(companies(15_000))).toEqual([]);
  expect(messagesOf(companies(30_000))).toEqual([
    expect.stringMatching(/^is [\d,]+ bytes as JSON; at most 262,144 are allowed$/),
  ]);
});

test('a token request has a limited number of parameters: each may be a secret that is sealed by itself', () => {
  const body = (count: number) => ({
    ...subscription,
    authentication: {
      ...{ type: 'oauth', tokenUrl: 'https://example.com/token', clientId: 'id', clientSecret: 'secret' },
      body: Object.fromEntries(Array.from({ length: count }, (_, nth) => [`name${nth}`, { secret: 'x' }])),
    },
  });
  expect(messagesOf(body(32))).toEqual([]);
  expect(messagesOf(body(33))).toEqual(['authentication.body contains 33 parameters; at most 32 are allowed']);
});
