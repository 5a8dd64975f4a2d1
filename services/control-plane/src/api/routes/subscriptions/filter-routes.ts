import { Transform } from 'node:stream';
import {
  describedEventType,
  type EventType,
  eventTypeNames,
  impliedEventType,
} from '@databridge/schemas/event/event-types';
import { suggestion } from '@databridge/schemas/subscription/issue-words';
import { MAX_FILTER_CHARS } from '@databridge/schemas/subscription/size-limits';
import { z } from 'zod';
import { FilterTrials } from '../../../filters/filter-trials.ts';
import { tryOnRecent } from '../../../filters/try-on-recent.ts';
import { notePayloadRead } from '../../../operations/note-operation.ts';
import { readCustomer } from '../../../views/customer.ts';
import { callerOf } from '../../auth/access.ts';
import type { Api, ApiContext } from '../../context.ts';
import { customerParams } from '../../openapi/models.ts';
import { InvalidBody, problems } from '../../problem.ts';

const trial = z.strictObject({
  filter: z.string().min(1).max(MAX_FILTER_CHARS),
  event: z.record(z.string(), z.unknown()).describe('the document that the customer would get'),
  eventType: z.string().optional().describe('may be left out while there is only one besides notices'),
});

const verdict = z.object({
  matches: z.boolean().describe('whether the customer would get the event'),
  lacks: z.string().optional().describe('the part of the event that the filter reads and that is absent'),
  error: z.string().optional().describe('why the filter has no result: the customer would get the event'),
});

const MAX_RECENT = 1_000;

const recentVerdict = z
  .object({
    tried: z.int().describe('the latest events in the topic of the customer: those that the stored filter let through'),
    passed: z.int(),
    failed: z.int().describe('of those that passed: the filter could not be evaluated on them'),
    unreadable: z.int().describe('not tried, since they cannot be decoded'),
    fromMs: z.number().optional().describe('when the oldest of them was copied for the customer, ms since the epoch'),
    toMs: z.number().optional(),
  })
  .meta({ id: 'RecentTrial' });

declare module 'fastify' {
  interface FastifyRequest {
    /** The text of the body, for routes that need the exact digits of its numbers. */
    bodyChunks: Buffer[] | undefined;
  }
}

/** Filters are tried with the evaluation of fan-out before they are part of a subscription. */
export function filterRoutes(api: Api, { operations, events }: Pick<ApiContext, 'operations' | 'events'>): void {
  const trials = new FilterTrials();
  api.addHook('onClose', () => trials.stop());
  api.decorateRequest('bodyChunks', undefined);
  api.post(
    '/v1/filters/try',
    {
      config: { isExpensive: true },
      schema: {
        tags: ['filters'],
        summary: 'Tells whether a content filter would accept an event; nothing is stored or sent',
        body: trial,
        response: { 200: verdict, ...problems },
      },
      preParsing: async (request, _reply, payload) => {
        const chunks: Buffer[] = [];
        request.bodyChunks = chunks;
        const transform: Transform['_transform'] = (chunk: Buffer, _encoding, done) => {
          chunks.push(chunk);
          done(null, chunk);
        };
        return payload.pipe(new Transform({ transform }));
      },
    },
    async ({ body: { filter, eventType }, bodyChunks = [] }) => {
      const document = Buffer.concat(bodyChunks).toString('utf8');
      const answer = await trials.run({ filter, eventType: typeNamed(eventType).name, document });
      switch (answer.kind) {
        case 'invalid':
          throw new InvalidBody([{ path: ['filter'], message: answer.mistake }]);
        case 'matches':
          return { matches: true };
        case 'differs':
          return { matches: false, ...(answer.lacks !== undefined && { lacks: answer.lacks }) };
        case 'failed':
          return { matches: true, error: answer.detail };
      }
    },
  );

  api.post(
    '/v1/subscriptions/:customer/filters/try',
    {
      config: { isExpensive: true },
      schema: {
        tags: ['filters'],
        summary: 'Tells how many of the latest events of a customer a filter would accept; audited, nothing is stored',
        params: customerParams,
        body: z.strictObject({
          filter: trial.shape.filter,
          events: z.int().min(1).max(MAX_RECENT).default(200).describe('how many of the latest, per partition'),
        }),
        response: { 200: recentVerdict, ...problems },
      },
    },
    async (request) => {
      const { customer } = request.params;
      const { filter, events: limit } = request.body;
      await readCustomer(operations, customer);
      // A caller that tries many filters learns the content of events.
      await notePayloadRead(operations, callerOf(request), customer, { filterTried: filter, events: limit });
      const answer = await tryOnRecent({ operations, events, trials }, { customer, filter, limit });
      if ('mistake' in answer) throw new InvalidBody([{ path: ['filter'], message: answer.mistake }]);
      return answer;
    },
  );
}

function typeNamed(name: string | undefined): EventType {
  const known = eventTypeNames();
  const type = describedEventType(name ?? impliedEventType(known) ?? '');
  if (type !== undefined) return type;
  const message =
    name === undefined ? `must be one of ${known.join(', ')}` : `is not an event type${suggestion(name, known)}`;
  throw new InvalidBody([{ path: ['eventType'], message }]);
}
