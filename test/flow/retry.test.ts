/** What fails for now is tried again by the plan, punctually and never early; what is refused is a dead letter at once. */

import { readDeadLetterHeaders } from '@databridge/schemas/records/headers';
import { deadTopic, deliveryTopic, retryTopic } from '@databridge/schemas/records/topics';
import { rootCauseEvent } from '../harness/events.ts';
import { eventually } from '../harness/eventually.ts';
import { together } from '../harness/jest/together.ts';
import { Receiver } from '../harness/receiver.ts';
import { Stage } from '../harness/stage.ts';
import { freshName } from '../harness/topics.ts';

let stage: Stage;

beforeAll(async () => {
  // These few events fail on purpose, one and all: that must not look like an endpoint that is down.
  stage = await Stage.start({ delivery: { BREAKER_MIN_ATTEMPTS: '1000' } });
});

const events = (company: string, count: number) => Array.from({ length: count }, () => rootCauseEvent({ company }));
const nothingWaits = (customer: string) =>
  eventually(
    async () => {
      const topics = [deliveryTopic(customer), retryTopic(customer, '1s'), retryTopic(customer, '2s')];
      const lags = await Promise.all(topics.map((topic) => stage.lag(customer, topic)));
      return lags.reduce((sum, lag) => sum + lag, 0);
    },
    (lag) => lag === 0,
  );

together({
  '5xx, 429, a cut connection and 408 are tried again, each no sooner than its lane says, and then succeed':
    async () => {
      const customer = freshName('flaky');
      const failures = [503, 'drop', 429, 408] as const;
      const receiver = await Receiver.start((_request, nth) => {
        const failure = failures[nth - 1];
        if (failure === undefined) return {};
        return failure === 'drop' ? 'drop' : { status: failure };
      });
      await stage.subscribe(customer, receiver.url);
      await stage.upstream.produce(events(customer, 5));
      await receiver.waitFor(({ accepted }) => accepted === 5);

      for (const id of receiver.timesById.keys()) {
        const attempts = receiver.requestsFor(id);
        expect(attempts.map(({ headers }) => headers['databridge-attempt'])).toEqual(['1', '2', '3', '4', '5']);
        const waitsMs = attempts.slice(1).map(({ receivedAtMs }, i) => receivedAtMs - (attempts[i]?.receivedAtMs ?? 0));
        // The plan is 1s*2,2s*2; a record's delay counts from its append, which comes after the attempt that failed.
        for (const [i, plannedMs] of [1_000, 1_000, 2_000, 2_000].entries()) {
          expect(waitsMs[i]).toBeGreaterThanOrEqual(plannedMs);
        }
        expect(new Set(attempts.map(({ body }) => body)).size).toBe(1);
      }
      await nothingWaits(customer);
      expect(await stage.read(deadTopic(customer))).toHaveLength(0);
    },

  'what the destination refuses is a dead letter at once, with the reason, and the others flow on': async () => {
    const customer = freshName('picky');
    const receiver = await Receiver.start(({ body }) => (body.includes('poison') ? { status: 422, body: 'no' } : {}));
    await stage.subscribe(customer, receiver.url);
    const poison = rootCauseEvent({ company: customer, transcript: 'poison' });
    const [good, [bad]] = [events(customer, 10), await stage.upstream.produce([poison], { 'event-id': 'evt-poison' })];
    await stage.upstream.produce(good);
    // Fan-out may copy the bad one last.
    await receiver.waitFor(({ accepted, timesById }) => accepted === 10 && timesById.has('evt-poison'));
    await nothingWaits(customer);

    const [letter, ...others] = await stage.read(deadTopic(customer));
    expect(others).toHaveLength(0);
    const facts = readDeadLetterHeaders(letter?.headers ?? {});
    // Several events may have the same event id: the key names the event's record in the intake as well.
    expect(letter?.key?.toString()).toBe(`evt-poison@${facts.source}`);
    expect(letter?.value).toEqual(bad?.value);
    expect(facts).toMatchObject({
      eventId: 'evt-poison',
      reason: 'refused',
      detail: 'status 422',
      attempt: 1,
    });
    expect(receiver.timesById.get('evt-poison')).toBe(1);
  },

  'an event that never succeeds while others do is given up after the last attempt of the plan': async () => {
    const customer = freshName('poisoned');
    const others = Promise.withResolvers<void>();
    const receiver = await Receiver.start(({ id }, nth) => {
      if (id !== 'evt-cursed') return {};
      return { status: 500, ...(nth === 3 && { after: others.promise }) };
    });
    await stage.subscribe(customer, receiver.url);
    await stage.upstream.produce(events(customer, 1), { 'event-id': 'evt-cursed' });
    await receiver.waitFor(({ timesById }) => timesById.get('evt-cursed') === 2);
    await stage.upstream.produce(events(customer, 3));
    await receiver.waitFor(({ accepted }) => accepted === 3);
    others.resolve();
    await receiver.waitFor(({ timesById }) => timesById.get('evt-cursed') === 5);
    await nothingWaits(customer);
    const [letter] = await stage.read(deadTopic(customer));
    expect(readDeadLetterHeaders(letter?.headers ?? {})).toMatchObject({
      eventId: 'evt-cursed',
      reason: 'exhausted',
      attempt: 5,
    });
  },
});
