import { DatabridgeError } from '@databridge/kernel/errors';
import { systemClock } from '@databridge/kernel/time/clock';
import { z } from 'zod';
import { planRedelivery } from '../../operations/redeliver.ts';
import { planRewind, type Rewind, type RewindTarget, refuseSkips } from '../../operations/rewind.ts';
import { readCustomer } from '../../views/customer.ts';
import { gatherEvidence } from '../../views/gather-evidence.ts';
import { fatesIn, reconcile, type TimeRange } from '../../views/reconcile.ts';
import { customerStatuses } from '../../views/status.ts';
import type { Api, ApiContext } from '../context.ts';
import {
  ascending,
  customerParams,
  idPrefix,
  page,
  rangeQuery,
  reconciliationAnswer,
  redeliveryAnswer,
  redeliveryBody,
  rewindAnswer,
  rewindBody,
  statusAnswer,
} from '../openapi/models.ts';
import { accepted, maySeeOperation, operationAnswer, shown } from '../operate.ts';
import { problems } from '../problem.ts';

/** Records have the broker's time; our clock may be behind it. */
const CLOCK_SLACK_MS = 60_000;
const tags = ['operations'];
const params = customerParams;

export function operationRoutes(api: Api, { operations, operate }: ApiContext): void {
  api.get(
    '/v1/subscriptions/:customer/status',
    {
      config: { isExpensive: true },
      schema: { tags, summary: 'The status of the customer', params, response: { 200: statusAnswer, ...problems } },
    },
    async ({ params: { customer } }) => {
      const [status] = await customerStatuses(operations, [customer]);
      // customerStatuses returns one for each requested customer, or throws.
      return status as unknown as z.infer<typeof statusAnswer>;
    },
  );

  api.post(
    '/v1/subscriptions/:customer/rewinds',
    {
      schema: {
        tags,
        summary: 'Delivers again from a point on; a dry run says what it would do',
        params,
        body: rewindBody,
        response: { 200: rewindAnswer, ...accepted, ...problems },
      },
    },
    async (request, reply) => {
      const { customer } = request.params;
      const { to, dryRun, maySkip } = request.body;
      const target = targetOf(to);
      const plan = await planRewind(operations, customer, target);
      if (dryRun) return copyOf(plan);
      refuseSkips(plan, maySkip);
      const audit = { what: 'rewind', customer, detail: { to, maySkip } } as const;
      return await operate(request, reply, { kind: 'rewind', customer, input: { target, maySkip }, audit });
    },
  );

  api.post(
    '/v1/subscriptions/:customer/redeliveries',
    {
      schema: {
        tags,
        summary: 'Delivers one event, or all events of a period, again; a dry run counts them',
        params,
        body: redeliveryBody,
        response: { 200: redeliveryAnswer, ...accepted, ...problems },
      },
    },
    async (request, reply) => {
      const { customer } = request.params;
      const { dryRun, ...body } = request.body;
      // Events that are written from now on are excluded, even if the operation is resumed an hour later.
      const what =
        'eventId' in body
          ? ({ kind: 'event', eventId: body.eventId } as const)
          : ({ kind: 'range', toMs: systemClock.nowMs() + CLOCK_SLACK_MS, ...rangeOf(body) } as const);
      const total = await planRedelivery(operations, customer, what);
      if (dryRun) return { customer, events: total };
      const audit = { what: 'redeliver', customer, detail: body } as const;
      return await operate(request, reply, { kind: 'redeliver', customer, input: what, total, audit });
    },
  );

  api.get(
    '/v1/operations',
    {
      schema: {
        tags,
        summary: 'Operations of the last days that the caller may see, the newest first',
        querystring: page.extend({ idPrefix, state: z.enum(['running', 'done', 'failed']).optional() }),
        response: { 200: z.object({ items: z.array(operationAnswer), next: z.string().optional() }), ...problems },
      },
    },
    async ({ query: { limit, cursor, state, idPrefix = '' }, caller }) => {
      const before = cursor === undefined ? Number.POSITIVE_INFINITY : Number(cursor);
      const visible = [...(await operations.operations()).values()]
        .filter((one) => maySeeOperation(caller, one) && (state === undefined || one.state === state))
        .filter(({ id, startedAtMs }) => startedAtMs < before && id.startsWith(idPrefix))
        .sort((a, b) => b.startedAtMs - a.startedAtMs);
      const items = visible.slice(0, limit);
      const last = items.at(-1);
      return {
        items: items.map(shown),
        ...(visible.length > limit && last !== undefined && { next: String(last.startedAtMs) }),
      };
    },
  );

  api.get(
    '/v1/operations/:id',
    {
      config: { opaqueParams: ['id'] },
      schema: {
        tags,
        summary: 'One operation: its state, its progress and its result',
        params: z.object({ id: z.string().min(1).max(64) }),
        response: { 200: operationAnswer, ...problems },
      },
    },
    async ({ params: { id }, caller }) => {
      const found = (await operations.operations()).get(id);
      if (found === undefined || !maySeeOperation(caller, found)) {
        throw new DatabridgeError('DB_NOT_FOUND', `There is no operation "${id}"`);
      }
      return shown(found);
    },
  );

  api.get(
    '/v1/subscriptions/:customer/reconciliation',
    {
      config: { isExpensive: true },
      schema: {
        tags,
        summary: 'Accounts for every event that was written for the customer',
        params,
        querystring: z
          .object({
            ...rangeQuery.shape,
            events: z
              .enum(['true', 'false'])
              .default('false')
              .describe('also the fate of each event, by `<event id>@<source>`'),
          })
          .refine(...ascending),
        response: { 200: reconciliationAnswer, ...problems },
      },
    },
    async ({ params: { customer }, query }) => {
      await readCustomer(operations, customer);
      const range = rangeOf(query);
      const evidence = await gatherEvidence(operations, customer, range);
      const found = reconcile(evidence, range);
      return {
        ...found,
        unaccounted: found.unaccounted.map((one) => ({ ...one })),
        ...(query.events === 'true' && { events: fatesIn(evidence) }),
      };
    },
  );
}

function targetOf(to: z.infer<typeof rewindBody>['to']): RewindTarget {
  if (to === 'earliest') return { kind: 'earliest' };
  return 'time' in to ? { kind: 'time', atMs: Date.parse(to.time) } : { kind: 'offset', offset: to.offset };
}

function rangeOf({ from, to }: z.infer<typeof rangeQuery>): TimeRange {
  return { ...(from !== undefined && { fromMs: Date.parse(from) }), ...(to !== undefined && { toMs: Date.parse(to) }) };
}

const copyOf = (done: Rewind) => ({ ...done, partitions: [...done.partitions] });
