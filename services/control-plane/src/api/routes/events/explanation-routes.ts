import { systemClock } from '@databridge/kernel/time/clock';
import { z } from 'zod';
import { explainCustomer } from '../../../explain/explain-customer.ts';
import { explainEvent } from '../../../explain/explain-event.ts';
import type { Api, ApiContext } from '../../context.ts';
import { attemptAnswer, customerParams, rangeQuery } from '../../openapi/models.ts';
import { problems } from '../../problem.ts';
import { shownTo } from '../../shown-attempt.ts';

const tags = ['explanations'];
const timeMs = z.number().describe('ms since the epoch');

const customerExplanation = z
  .object({
    customer: z.string(),
    state: z.enum(['active', 'paused', 'disabled']),
    runBy: z.string().optional().describe('the live worker that runs it'),
    gate: z
      .array(
        z.object({
          because: z.string(),
          detail: z.string(),
          cure: z.string().optional().describe('the remedy: a command or a sentence'),
          untilMs: timeMs.optional().describe('when it ends by itself'),
        }),
      )
      .describe(
        'reasons why no events, only probes or not all events are sent, the one to fix first at the top; empty: events are sent',
      ),
    nextAttempt: z
      .object({
        atMs: timeMs,
        lane: z.string(),
        eventId: z.string(),
        attempt: z.int(),
        isAtLatest: z.boolean().describe('a probe, which is sent by this time at the latest'),
      })
      .optional(),
    backlog: z.object({ records: z.int(), byLane: z.record(z.string(), z.int()) }),
    deliveredPerSecond: z.number().describe('of the last two minutes, from the first delivery in them on'),
    arrivingPerSecond: z.number().describe('of the last two minutes'),
    drain: z.object({ kind: z.enum(['empty', 'drained', 'growing', 'stopped']), atMs: timeMs.optional() }),
    budget: z
      .object({
        ...{ eventId: z.string(), attempts: z.int(), maxAttempts: z.int() },
        ...{ usedMs: z.number(), windowMs: z.number() },
      })
      .optional()
      .describe('of the event that has used the most of it'),
    disabling: z
      .object({ atMs: timeMs, because: z.string() })
      .optional()
      .describe('when the customer will be disabled, unless an attempt succeeds'),
    isPartial: z
      .boolean()
      .describe('a retry lane contains more records than were read; forecasts use those that were read'),
  })
  .meta({ id: 'CustomerExplanation' });

const eventExplanation = z
  .object({
    ...{ eventId: z.string(), eventType: z.string(), source: z.string(), atMs: timeMs.optional() },
    fanOut: z.object({ state: z.enum(['routed', 'waiting', 'quarantined']), detail: z.string().optional() }),
    matching: z
      .array(z.object({ customer: z.string(), matches: z.boolean(), whyNot: z.array(z.string()) }))
      .describe("by today's subscriptions"),
    unreadable: z.string().optional(),
    deliveries: z.array(
      z.object({
        customer: z.string(),
        state: z.enum(['active', 'paused', 'disabled']),
        fate: z.enum(['delivered', 'waiting', 'dead', 'skipped', 'unknown']),
        ...{ lane: z.string().optional(), offset: z.int().optional(), dueAtMs: timeMs.optional() },
        deadBecause: z.string().optional(),
        attempts: z.array(attemptAnswer).describe('the newest last'),
      }),
    ),
    isPartial: z.boolean().describe('more customers are concerned than were examined'),
  })
  .meta({ id: 'EventExplanation' });

const DAY_MS = 86_400_000;

/** Why something is not delivered, and what comes next. */
export function explanationRoutes(api: Api, { operations, attempts, events, intake, retryPlan }: ApiContext): void {
  api.get(
    '/v1/subscriptions/:customer/explanation',
    {
      config: { isExpensive: true },
      schema: {
        tags,
        summary: 'Why nothing is sent to the customer, what comes next, when it drains and when it would be disabled',
        params: customerParams,
        response: { 200: customerExplanation, ...problems },
      },
    },
    async ({ params: { customer } }) => {
      const { gate, ...rest } = await explainCustomer({ ...operations, retryPlan }, attempts, customer);
      return { ...rest, gate: [...gate], backlog: { ...rest.backlog, byLane: { ...rest.backlog.byLane } } };
    },
  );

  api.get(
    '/v1/events/:id/explanation',
    {
      config: { opaqueParams: ['id'], isExpensive: true },
      schema: {
        tags,
        summary: 'Follows one event from the intake through matching, lanes and attempts',
        params: z.object({
          id: z.string().min(1).max(300).describe('its event id, or <topic>/<partition>/<offset> at the intake'),
        }),
        querystring: z.object({ from: rangeQuery.shape.from.describe('how far back to search; default: a day') }),
        response: { 200: eventExplanation, ...problems },
      },
    },
    async ({ params: { id }, query: { from }, caller }) => {
      const context = { ...operations, events, eventTypes: intake.eventTypes };
      const sinceMs = from === undefined ? systemClock.nowMs() - DAY_MS : Date.parse(from);
      const { deliveries, matching, ...rest } = await explainEvent(context, attempts, id, sinceMs);
      return {
        ...rest,
        matching: matching.map((one) => ({ ...one, whyNot: [...one.whyNot] })),
        deliveries: deliveries.map((one) => ({
          ...one,
          attempts: one.attempts.map((attempt) => shownTo(caller, attempt)),
        })),
      };
    },
  );
}
