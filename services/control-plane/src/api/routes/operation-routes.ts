import { readDeadLetterHeaders } from '@databridge/schemas/records/headers';
import { deadTopic } from '@databridge/schemas/records/topics';
import { z } from 'zod';
import { readLetters } from '../../operations/letters.ts';
import { noteOperation } from '../../operations/note-operation.ts';
import { redeliver } from '../../operations/redeliver.ts';
import { discardDeadLetters, redriveDeadLetters, redriveQuarantine } from '../../operations/redrive.ts';
import { planRewind, type RewindTarget, rewind } from '../../operations/rewind.ts';
import { readCustomer } from '../../views/customer.ts';
import { gatherEvidence } from '../../views/gather-evidence.ts';
import { fatesIn, reconcile, type TimeRange } from '../../views/reconcile.ts';
import { customerStatuses } from '../../views/status.ts';
import type { Api, ApiContext } from '../context.ts';
import {
  customerParams,
  deadLetter,
  lettersBody,
  page,
  rangeQuery,
  reconciliationAnswer,
  redeliveryAnswer,
  redeliveryBody,
  rewindAnswer,
  rewindBody,
  statusAnswer,
  takenOut,
} from '../openapi/models.ts';
import { problems } from '../problem.ts';

const tags = ['operations'];
const params = customerParams;

export function operationRoutes(api: Api, { operations, change }: ApiContext): void {
  const see = { access: 'see' } as const;
  const act = { access: 'act' } as const;

  api.get(
    '/v1/subscriptions/:customer/status',
    {
      config: see,
      schema: { tags, summary: 'How the customer is doing', params, response: { 200: statusAnswer, ...problems } },
    },
    async ({ params: { customer } }) => {
      const [status] = await customerStatuses(operations, [customer]);
      // customerStatuses answers for each that it is asked for, or throws.
      return status as unknown as z.infer<typeof statusAnswer>;
    },
  );

  api.post(
    '/v1/subscriptions/:customer/rewinds',
    {
      config: act,
      schema: {
        tags,
        summary: 'Delivers again from a point on; a dry run says what it would do',
        params,
        body: rewindBody,
        response: { 200: rewindAnswer, ...problems },
      },
    },
    async (request) => {
      const { customer } = request.params;
      const { to, dryRun, maySkip } = request.body;
      const target = targetOf(to);
      if (dryRun) return copyOf(await planRewind(operations, customer, target));
      return await change(request, customer, async (context) => {
        await noteOperation(context, 'rewind', customer, { to, maySkip });
        return copyOf(await rewind(context, customer, target, { maySkip }));
      });
    },
  );

  api.post(
    '/v1/subscriptions/:customer/redeliveries',
    {
      config: act,
      schema: {
        tags,
        summary: 'Delivers one event, or those of a time, once more',
        params,
        body: redeliveryBody,
        response: { 200: redeliveryAnswer, ...problems },
      },
    },
    async (request) => {
      const { customer } = request.params;
      const { body } = request;
      const what =
        'eventId' in body
          ? ({ kind: 'event', eventId: body.eventId } as const)
          : ({ kind: 'range', ...rangeOf(body) } as const);
      return await change(request, customer, async (context) => {
        await noteOperation(context, 'redeliver', customer, body);
        return await redeliver(context, customer, what);
      });
    },
  );

  api.get(
    '/v1/subscriptions/:customer/dead-letters',
    {
      config: see,
      schema: {
        tags,
        summary: 'Dead letters that stand, the oldest first',
        params,
        querystring: page,
        response: { 200: z.object({ items: z.array(deadLetter), next: z.string().optional() }), ...problems },
      },
    },
    async ({ params: { customer }, query: { limit, cursor } }) => {
      await readCustomer(operations, customer);
      const after = cursor === undefined ? -1 : Number(cursor);
      const items: z.infer<typeof deadLetter>[] = [];
      let next: number | undefined;
      let lastOffset = -1;
      await readLetters(operations.kafka, deadTopic(customer), (letters) => {
        for (const { key, record } of letters) {
          if (record.offset <= after) continue;
          if (items.length === limit) {
            next ??= lastOffset;
            return;
          }
          lastOffset = record.offset;
          const { attempt, eventId, eventType, reason, detail, source } = readDeadLetterHeaders(record.headers);
          items.push({
            ...{ id: key, eventId, eventType, reason, attempts: attempt, at: record.timestampMs },
            ...(detail !== undefined && { detail }),
            ...(source !== undefined && { source }),
          });
        }
      });
      return { items, ...(next !== undefined && { next: String(next) }) };
    },
  );

  for (const [name, what, summary, run] of [
    ['redrives', 'redrive', 'Delivers dead letters once more', redriveDeadLetters],
    ['discards', 'discard', 'Gives dead letters up for good', discardDeadLetters],
  ] as const) {
    api.post(
      `/v1/subscriptions/:customer/dead-letters/${name}`,
      {
        config: act,
        schema: { tags, summary, params, body: lettersBody, response: { 200: takenOut, ...problems } },
      },
      async (request) => {
        const { customer } = request.params;
        return await change(request, customer, async (context) => {
          await noteOperation(context, what, customer, request.body);
          return await run(context, customer, filterOf(request.body));
        });
      },
    );
  }

  api.post(
    '/v1/quarantine/redrives',
    {
      config: { access: 'operate' },
      schema: {
        tags,
        summary: 'Puts quarantined records back to the intake',
        body: lettersBody,
        response: { 200: takenOut, ...problems },
      },
    },
    async (request) =>
      await change(request, undefined, async (context) => {
        await context.commit([{ what: 'redrive-quarantine', detail: request.body }]);
        return await redriveQuarantine(context, filterOf(request.body));
      }),
  );

  api.get(
    '/v1/subscriptions/:customer/reconciliation',
    {
      config: see,
      schema: {
        tags,
        summary: 'Accounts for every event that was written for the customer',
        params,
        querystring: z.object({
          ...rangeQuery.shape,
          events: z
            .enum(['true', 'false'])
            .default('false')
            .describe('also the fate of each event, by `<event id>@<source>`'),
        }),
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

const filterOf = ({ reasons, ids }: z.infer<typeof lettersBody>) => ({
  ...(reasons !== undefined && { reasons }),
  ...(ids !== undefined && { keys: ids }),
});

const copyOf = (done: Awaited<ReturnType<typeof rewind>>) => ({ ...done, partitions: [...done.partitions] });
