import { DESTINATION_KINDS } from '../destination/destinations.ts';
import { suggestion } from './issue-words.ts';
import { isSecretPath, mapSecrets } from './secret-places.ts';
import { parseSubscription } from './subscription.ts';

const plain = {
  customer: 'acme',
  eventTypes: ['root-cause'],
  match: 'everything',
  destination: { type: 'http', url: 'https://api.acme.example/events' },
};
const mistakes = (change: object) => {
  const parsed = parseSubscription({ ...plain, ...change });
  return parsed.ok ? [] : parsed.issues.map(({ path, message }) => `${path.join('.')} ${message}`);
};

describe('mistakes have messages', () => {
  test.each([
    [{ customer: undefined }, 'customer is missing'],
    [{ customer: 5 }, 'customer must be a string, not a number'],
    [{ eventTypes: 'root-cause' }, 'eventTypes must be a list, not a string'],
    [{ destination: { type: 'pigeon' } }, `destination.type must be ${[...DESTINATION_KINDS.keys()].join(' or ')}`],
    [{ destination: {} }, 'destination.type is missing'],
    [{ destination: null }, 'destination must be a map of settings, not empty'],
    [{ maxInFlight: 1.5 }, 'maxInFlight must be a whole number, not a fraction'],
    [{ ratePerSecond: Number.NaN }, 'ratePerSecond must be a number, not NaN'],
    [{ ratePerSecond: Number.POSITIVE_INFINITY }, 'ratePerSecond must be a number, not Infinity'],
    [{ maxInFlight: 0 }, 'maxInFlight must be at least 1'],
    [{ ratePerSecond: 0 }, 'ratePerSecond must be at least 0.001'],
    [{ signing: { secrets: [] } }, 'signing.secrets must be at least 1 values'],
    [{ state: 'asleep' }, 'state must be active or paused or disabled'],
    [{ ratePerSecnd: 1 }, 'ratePerSecnd is not known; did you mean "ratePerSecond"?'],
    [{ whatever: 1 }, 'whatever is not known'],
    [
      { destination: { ...plain.destination, headers: { Host: 'x' } } },
      'destination.headers.Host is set by Databridge itself',
    ],
  ])('%j', (change, words) => {
    expect(mistakes(change)).toEqual([words]);
  });

  test('several unknown keys are several mistakes', () => {
    expect(mistakes({ rate: 1, stat: 'active' })).toEqual([
      'rate is not known; did you mean "ratePerSecond"?',
      'stat is not known; did you mean "state"?',
    ]);
  });

  test('a suggestion is near, or there is none', () => {
    expect(suggestion('timeoutms', ['url', 'timeoutMs'])).toBe('; did you mean "timeoutMs"?');
    expect(suggestion('xyz', ['url'])).toBe('');
  });

  test('secret paths are those that mapSecrets visits', () => {
    const secrets = [`whsec_${'A'.repeat(32)}`, `whsec_${'B'.repeat(32)}`];
    for (const authentication of [
      { type: 'basic', username: 'u', password: 'p' },
      { type: 'api-key', name: 'x-key', key: 'k' },
    ]) {
      const parsed = parseSubscription({ ...plain, authentication, signing: { secrets } });
      if (!parsed.ok) throw new Error('the example is valid');
      const visited: string[] = [];
      mapSecrets(parsed.subscription, (_secret, path) => visited.push(path));
      expect(visited).toHaveLength(3);
      expect(visited.filter((path) => !isSecretPath(path.split('.')))).toEqual([]);
    }
    expect(isSecretPath(['authentication', 'username'])).toBe(false);
  });
});
