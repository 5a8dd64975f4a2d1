import { Secret } from '@databridge/kernel/secrets/secret';
import { mapSecrets } from '@databridge/schemas/subscription/secret-places';
import type { Subscription } from '@databridge/schemas/subscription/subscription';
import { parseSubscription } from '@databridge/schemas/subscription/subscription';
import type { Destination, Message } from './destination.ts';
import { openWithFallback } from './fallback.ts';

const message = {} as Message;

/** A destination that knows some keys, and what it was shown. */
function setUp(untilMs: number) {
  const parsed = parseSubscription({
    customer: 'acme',
    eventTypes: ['root-cause'],
    destination: { type: 'http', url: 'https://api.example/' },
    authentication: { type: 'api-key', name: 'x-key', key: 'new' },
  });
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.issues));
  const subscription = {
    ...mapSecrets(parsed.subscription, (secret) => new Secret(secret)),
    fallbacks: { 'authentication.key': { secret: new Secret('old'), untilMs } },
  };
  const known = new Set(['old']);
  const shown: string[] = [];
  const closed: string[] = [];
  const open = ({ authentication }: Subscription<Secret>): Destination => {
    const key = authentication.type === 'api-key' ? authentication.key.reveal() : '';
    return {
      async send() {
        shown.push(key);
        const outcome = known.has(key)
          ? ({ kind: 'delivered', status: 200 } as const)
          : ({ kind: 'deauthorized', reason: 'answered 401', status: 401 } as const);
        return { outcome };
      },
      close: async () => void closed.push(key),
      abort: async () => void closed.push(key),
    };
  };
  return { destination: openWithFallback(subscription, open, 0), known, shown, closed };
}

test('what the new secret is refused with goes out with the old one, which then comes first for a while', async () => {
  const { destination, shown, closed } = setUp(3_600_000);
  expect(await destination.send(message, 0)).toEqual({ outcome: { kind: 'delivered', status: 200 } });
  await destination.send(message, 59_999);
  await destination.send(message, 60_000);
  expect(shown).toEqual(['new', 'old', 'old', 'new', 'old']);
  await destination.close();
  expect(closed).toEqual(['new', 'old']);
});

test('once the old one is known no more, the new one is used; with neither known, that is what is told', async () => {
  const { destination, known, shown } = setUp(3_600_000);
  await destination.send(message, 0);
  known.clear();
  known.add('new');
  await destination.send(message, 1);
  await destination.send(message, 2);
  expect(shown).toEqual(['new', 'old', 'old', 'new', 'new']);
  known.clear();
  expect(await destination.send(message, 3)).toMatchObject({ outcome: { kind: 'deauthorized' } });
});

test('when its time is over, the old secret is never shown again', async () => {
  const { destination, shown } = setUp(1_000);
  expect(await destination.send(message, 1_000)).toMatchObject({ outcome: { kind: 'deauthorized' } });
  const late = setUp(0);
  await late.destination.send(message, 0);
  expect([shown, late.shown]).toEqual([['new'], ['new']]);
});
