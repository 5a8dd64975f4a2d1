/** The fate of events, by their attempts. */

import { DatabridgeError } from '@databridge/kernel/errors';
import { systemClock } from '@databridge/kernel/time/clock';
import { type EffectiveState, effectiveState } from '@databridge/schemas/records/status';
import { z } from 'zod';
import type { SeenAttempt, SeenEvent } from '../../../views/attempts/attempt-view.ts';
import { EVENT_STATES, fateOf, OUTCOMES_BY_STATE } from '../../../views/attempts/event-state.ts';
import { readCustomer } from '../../../views/customer.ts';
import type { Api, ApiContext } from '../../context.ts';
import { ascending, attemptOutcome, customerParams, listedAttempt, page, rangeQuery } from '../../openapi/models.ts';
import { problems } from '../../problem.ts';
import { listedTo } from '../../shown-attempt.ts';

const tags = ['events'];
const eventId = z.string().min(1).max(600);
/** The view keeps a week of an event's attempts: the plan makes 185 in a day. */
const MAX_ATTEMPTS_SHOWN = 1_000;

const rangeOfLatest = z.object({
  from: rangeQuery.shape.from.describe('only events whose latest attempt began at that time or later'),
  to: rangeQuery.shape.to.describe('only events whose latest attempt began before that time'),
});

const eventFate = z
  .object({
    customer: z.string(),
    eventId: z.string(),
    state: z.enum(EVENT_STATES).describe('by the latest attempt'),
    attempts: z.int().describe('made in the last days, those of replays included'),
    firstAtMs: z.number().describe('when the first of them began, ms since the epoch'),
    lastAtMs: z.number(),
    lastOutcome: attemptOutcome,
    lastStatus: z.int().optional().describe("HTTP's, if there was an answer"),
    lastError: z.string().optional(),
    nextDueMs: z.number().optional().describe('time of the next attempt'),
    source: z.string().optional().describe('where it stood at the intake'),
  })
  .meta({ id: 'EventFate' });

const series = z.object({
  stepMs: z.int(),
  items: z.array(
    z.object({
      atMs: z.number().describe('when the step begins'),
      outcomes: z.record(z.string(), z.int()).describe('attempts by outcome'),
      p50Ms: z.number().optional().describe('half of the attempts took less, within a fifth'),
      p95Ms: z.number().optional(),
      p99Ms: z.number().optional(),
    }),
  ),
});

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;

export function eventFateRoutes(api: Api, { operations, attempts }: ApiContext): void {
  const answerOf = (customer: string, state: EffectiveState, event: SeenEvent): z.infer<typeof eventFate> => {
    const { last, firstAtMs } = event;
    // The plan counts from attempt 1. A replay and an enabling restart it there.
    const beganAtMs = last.attempt === event.attempts ? firstAtMs : last.at;
    return {
      ...{ customer, eventId: last.eventId, attempts: event.attempts, firstAtMs, lastAtMs: last.at },
      ...fateOf(last, beganAtMs, state, operations.retryPlan),
      lastOutcome: last.outcome,
      ...(last.status !== undefined && { lastStatus: last.status }),
      ...(last.error !== undefined && { lastError: last.error }),
      ...(last.source !== undefined && { source: last.source }),
    };
  };

  api.get(
    '/v1/subscriptions/:customer/attempts/series',
    {
      schema: {
        tags: ['attempts'],
        summary: 'Attempts of the last 24 hours by outcome, with percentiles of their durations, in steps of time',
        params: customerParams,
        querystring: z.object({
          stepMs: z.coerce
            .number()
            .int()
            .min(MINUTE_MS)
            .max(DAY_MS)
            .multipleOf(MINUTE_MS)
            .default(15 * MINUTE_MS),
        }),
        response: { 200: series, ...problems },
      },
    },
    async ({ params: { customer }, query: { stepMs } }) => {
      await readCustomer(operations, customer);
      const toMs = systemClock.nowMs();
      // The step that begins before the 24 hours would be counted in part.
      const fromMs = Math.ceil((toMs - DAY_MS) / stepMs) * stepMs;
      const items = operations.attemptSeries(customer, { fromMs, toMs, stepMs });
      return { stepMs, items: items.map((one) => ({ ...one, outcomes: { ...one.outcomes } })) };
    },
  );

  api.get(
    '/v1/subscriptions/:customer/events',
    {
      config: { isExpensive: true },
      schema: {
        tags,
        summary: 'Events of the last days by their latest attempt, the newest first',
        params: customerParams,
        querystring: z
          .object({ ...page.shape, ...rangeOfLatest.shape, state: z.enum(EVENT_STATES).optional() })
          .refine(...ascending),
        response: { 200: z.object({ items: z.array(eventFate), next: z.string().optional() }), ...problems },
      },
    },
    async ({ params: { customer }, query: { limit, cursor, from, to, state } }) => {
      const { subscription, worker } = await readCustomer(operations, customer);
      const found = attempts.events({
        ...{ customer, limit: limit + 1 },
        ...(cursor !== undefined && { before: cursor }),
        ...(from !== undefined && { fromMs: Date.parse(from) }),
        ...(to !== undefined && { toMs: Date.parse(to) }),
        ...(state !== undefined && { outcomes: OUTCOMES_BY_STATE[state] }),
      });
      const shown = found.slice(0, limit);
      const last = shown.at(-1);
      const next = found.length > limit && last !== undefined ? { next: last.place } : {};
      const answers = shown.map((event) => answerOf(customer, effectiveState(subscription, worker), event));
      return { items: answers.filter((one) => state === undefined || one.state === state), ...next };
    },
  );

  api.get(
    '/v1/subscriptions/:customer/events/:id',
    {
      config: { opaqueParams: ['id'] },
      schema: {
        tags,
        summary: 'One event: its fate, and its attempts, the newest first',
        params: customerParams.extend({ id: eventId }),
        response: { 200: eventFate.extend({ tries: z.array(listedAttempt) }).meta({ id: 'EventStory' }), ...problems },
      },
    },
    async ({ params: { customer, id }, caller }) => {
      const { subscription, worker } = await readCustomer(operations, customer);
      const found = attempts.find({ customer, eventId: id, limit: MAX_ATTEMPTS_SHOWN });
      const event = eventOf(found);
      if (event === undefined) {
        throw new DatabridgeError('DB_NOT_FOUND', `No attempt at an event "${id}" was made in the last days`);
      }
      const tries = found.map((seen) => listedTo(caller, seen));
      return { ...answerOf(customer, effectiveState(subscription, worker), event), tries };
    },
  );

  api.get(
    '/v1/events/:id',
    {
      config: { opaqueParams: ['id'], isExpensive: true },
      schema: {
        tags,
        summary: 'The fate of one event for each customer that it was sent to',
        params: z.object({ id: eventId }),
        response: { 200: z.object({ items: z.array(eventFate) }), ...problems },
      },
    },
    async ({ params: { id } }) => {
      const [subscriptions, statuses] = await Promise.all([operations.subscriptions(), operations.workerStatuses()]);
      const items = [...subscriptions.values()].flatMap((subscription) => {
        const { customer } = subscription;
        const event = eventOf(attempts.find({ customer, eventId: id, limit: MAX_ATTEMPTS_SHOWN }));
        const state = effectiveState(subscription, statuses.get(customer));
        return event === undefined ? [] : [answerOf(customer, state, event)];
      });
      return { items };
    },
  );
}

/** @param found an event's attempts, the newest first */
function eventOf(found: readonly SeenAttempt[]): SeenEvent | undefined {
  const [last] = found;
  const first = found.at(-1);
  if (last === undefined || first === undefined) return undefined;
  return { place: last.place, last: last.attempt, attempts: found.length, firstAtMs: first.attempt.at };
}
