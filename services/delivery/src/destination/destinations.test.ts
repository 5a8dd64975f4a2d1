import type { Logger } from '@databridge/kernel/log';
import { Secret } from '@databridge/kernel/secrets/secret';
import { mapSecrets } from '@databridge/schemas/subscription/secret-places';
import { parseSubscription, type Subscription } from '@databridge/schemas/subscription/subscription';
import type { Destination, Message } from './destination.ts';
import { Destinations } from './destinations.ts';

const HOUR_MS = 3_600_000;
const message = {} as Message;

function subscription(change: Record<string, unknown> = {}): Subscription<Secret> {
  const { fallbacks, ...rest } = change;
  const parsed = parseSubscription({
    customer: 'acme',
    eventTypes: ['root-cause'],
    match: { company: ['ACME'] },
    destination: { type: 'http', url: 'https://api.example/' },
    authentication: { type: 'api-key', name: 'x-key', key: 'new' },
    ...rest,
  });
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.issues));
  const unsealed = mapSecrets(parsed.subscription, (secret) => new Secret(secret));
  return fallbacks === undefined ? unsealed : ({ ...unsealed, fallbacks } as Subscription<Secret>);
}

const withOld = (untilMs: number) =>
  subscription({ fallbacks: { 'authentication.key': { secret: new Secret('old'), untilMs } } });

/** A destination that knows some keys, which keys it was sent, and which of our connections were opened and closed. */
function setUp(first: Subscription<Secret>, nowMs = 0) {
  const known = new Set(['old']);
  const shown: string[] = [];
  const events: string[] = [];
  const rates: number[] = [];
  const tellRate = new Map<string, (perSecond: number) => void>();
  const open = ({ authentication, destination }: Subscription<Secret>, onRate: (rate: number) => void): Destination => {
    const key = authentication.type === 'api-key' ? authentication.key.reveal() : '';
    const name = `${key} at ${'url' in destination ? destination.url : ''}`;
    events.push(`open ${name}`);
    tellRate.set(name, onRate);
    return {
      async send() {
        shown.push(key);
        const outcome = known.has(key)
          ? ({ kind: 'delivered', status: 200 } as const)
          : ({ kind: 'deauthorized', reason: 'answered 401', status: 401 } as const);
        return { outcome };
      },
      close: async () => void events.push(`close ${name}`),
      abort: async () => void events.push(`abort ${name}`),
    };
  };
  const log = { warn: () => undefined } as unknown as Logger;
  const destinations = new Destinations(first, { log, open, onRate: (rate) => rates.push(rate) }, nowMs);
  return { destinations, known, shown, events, rates, tellRate };
}

describe('an old secret as a fallback', () => {
  test('an event refused with the new secret goes out with the old one, which comes first for a while', async () => {
    const { destinations, shown, events } = setUp(withOld(HOUR_MS));
    expect(await destinations.send(message, 0)).toEqual({ outcome: { kind: 'delivered', status: 200 } });
    await destinations.send(message, 59_999);
    await destinations.send(message, 60_000);
    expect(shown).toEqual(['new', 'old', 'old', 'new', 'old']);
    await destinations.close();
    expect(events.slice(2)).toEqual(['close new at https://api.example/', 'close old at https://api.example/']);
  });

  test('once the old one is unknown, the new one is used; with both unknown, the failure is reported', async () => {
    const { destinations, known, shown } = setUp(withOld(HOUR_MS));
    await destinations.send(message, 0);
    known.clear();
    known.add('new');
    await destinations.send(message, 1);
    await destinations.send(message, 2);
    expect(shown).toEqual(['new', 'old', 'old', 'new', 'new']);
    known.clear();
    expect(await destinations.send(message, 3)).toMatchObject({ outcome: { kind: 'deauthorized' } });
  });

  test('after its time the old secret is never sent', async () => {
    const { destinations, shown } = setUp(withOld(1_000));
    expect(await destinations.send(message, 1_000)).toMatchObject({ outcome: { kind: 'deauthorized' } });
    const late = setUp(withOld(0));
    await late.destinations.send(message, 0);
    expect([shown, late.shown]).toEqual([['new'], ['new']]);
  });

  test('a secret that is replaced keeps its connections while it is a fallback', async () => {
    const old = subscription({ authentication: { type: 'api-key', name: 'x-key', key: 'old' } });
    const { destinations, events, shown } = setUp(old);
    destinations.update(withOld(HOUR_MS), 0);
    await destinations.send(message, 0);
    expect(shown).toEqual(['new', 'old']);
    expect(events).toEqual(['open old at https://api.example/', 'open new at https://api.example/']);
  });

  test('an old secret that is taken back closes its connections only', async () => {
    const { destinations, events, shown } = setUp(withOld(HOUR_MS));
    await destinations.send(message, 0);
    destinations.update(subscription(), 0);
    await destinations.send(message, 0);
    expect(events.slice(2)).toEqual(['close old at https://api.example/']);
    expect(shown).toEqual(['new', 'old', 'new']);
  });
});

describe('a change of the subscription', () => {
  test.each([
    ['sealed anew', {}],
    ['another rate', { ratePerSecond: 3 }],
    ['another bound of requests in flight', { maxInFlight: 3 }],
    ['other companies', { match: { company: ['Other'] } }],
    ['another filter', { filter: 'event.summary.folder == "Support"' }],
    ['other sections', { sections: ['summary'] }],
  ])('that is %s keeps the connections', (_what, change) => {
    const { destinations, events } = setUp(subscription());
    destinations.update(subscription(change), 0);
    expect(events).toEqual(['open new at https://api.example/']);
  });

  test.each([
    ['address', { destination: { type: 'http', url: 'https://other.example/' } }],
    ['headers', { destination: { type: 'http', url: 'https://api.example/', headers: { 'x-a': 'b' } } }],
    ['key', { authentication: { type: 'api-key', name: 'x-key', key: 'newer' } }],
    ['signing', { signing: { secrets: [`whsec_${'A'.repeat(32)}`] } }],
  ])('of the %s opens others and closes these', (_what, change) => {
    const { destinations, events } = setUp(subscription());
    destinations.update(subscription(change), 0);
    expect(events).toEqual([
      'open new at https://api.example/',
      expect.stringMatching(/^open/),
      'close new at https://api.example/',
    ]);
  });

  test('a destination that was replaced no longer says how fast events may be sent', () => {
    const { destinations, rates, tellRate } = setUp(subscription());
    tellRate.get('new at https://api.example/')?.(5);
    destinations.update(subscription({ destination: { type: 'http', url: 'https://other.example/' } }), 0);
    tellRate.get('new at https://api.example/')?.(1);
    tellRate.get('new at https://other.example/')?.(7);
    expect(rates).toEqual([5, 7]);
  });

  test('a stop cuts off what is in flight to replaced destinations too', async () => {
    const { destinations, events } = setUp(subscription());
    destinations.update(subscription({ destination: { type: 'http', url: 'https://other.example/' } }), 0);
    destinations.abort();
    expect(events.slice(3)).toEqual(['abort new at https://other.example/', 'abort new at https://api.example/']);
  });
});
