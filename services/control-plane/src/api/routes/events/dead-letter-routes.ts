import { readDeadLetterHeaders } from '@databridge/schemas/records/headers';
import { DEAD_LETTER_REASONS } from '@databridge/schemas/records/reasons';
import { deadTopic } from '@databridge/schemas/records/topics';
import { z } from 'zod';
import { LetterPage } from '../../../operations/letter-page.ts';
import { readLetters } from '../../../operations/letters.ts';
import { countDeadLetters } from '../../../operations/redrive.ts';
import { readCustomer } from '../../../views/customer.ts';
import type { Api, ApiContext } from '../../context.ts';
import {
  customerParams,
  deadLetter,
  filterOf,
  idPrefix,
  letterCount,
  lettersBody,
  page,
  takenOut,
} from '../../openapi/models.ts';
import { accepted } from '../../operate.ts';
import { problems } from '../../problem.ts';

const tags = ['operations'];
const params = customerParams;

export function deadLetterRoutes(api: Api, { operations, operate }: ApiContext): void {
  api.get(
    '/v1/subscriptions/:customer/dead-letters',
    {
      config: { isExpensive: true },
      schema: {
        tags,
        summary: 'Dead letters that were neither redriven nor discarded, with their numbers',
        params,
        querystring: page.extend({
          idPrefix,
          reason: z.enum(DEAD_LETTER_REASONS).optional(),
          order: z.enum(['oldest', 'newest']).default('oldest').describe('the order'),
        }),
        response: {
          200: z.object({
            items: z.array(deadLetter),
            next: z.string().optional(),
            byReason: z.record(z.string(), z.int()).describe('of all of them, whatever was asked for'),
          }),
          ...problems,
        },
      },
    },
    async ({ params: { customer }, query }) => {
      const { limit, cursor, idPrefix: beginning = '', reason: wanted, order } = query;
      await readCustomer(operations, customer);
      const place = cursor === undefined ? undefined : Number(cursor);
      const found = new LetterPage<z.infer<typeof deadLetter>>({ limit, order, place });
      const byReason: Record<string, number> = {};
      await readLetters(operations, deadTopic(customer), (letters) => {
        for (const { key, record } of letters) {
          const { attempt, eventId, eventType, reason, detail, source } = readDeadLetterHeaders(record.headers);
          byReason[reason] = (byReason[reason] ?? 0) + 1;
          if ((wanted !== undefined && reason !== wanted) || !key.startsWith(beginning)) continue;
          found.take(record.offset, () => ({
            ...{ id: key, eventId, eventType, reason, attempts: attempt, at: record.timestampMs },
            ...(detail !== undefined && { detail }),
            ...(source !== undefined && { source }),
          }));
        }
      });
      return { ...found.page(), byReason };
    },
  );

  for (const [name, kind, summary] of [
    ['redrives', 'redrive', 'Delivers dead letters again; a dry run counts them'],
    ['discards', 'discard', 'Discards dead letters: they are never delivered; a dry run counts them'],
  ] as const) {
    api.post(
      `/v1/subscriptions/:customer/dead-letters/${name}`,
      {
        schema: {
          tags,
          summary,
          params,
          body: lettersBody,
          response: { 200: z.union([takenOut, letterCount]), ...accepted, ...problems },
        },
      },
      async (request, reply) => {
        const { customer } = request.params;
        const { dryRun, ...detail } = request.body;
        const filter = filterOf(request.body);
        const count = await countDeadLetters(operations, customer, filter);
        if (dryRun) return { ...count };
        const audit = { what: kind, customer, detail };
        return await operate(request, reply, { kind, customer, input: filter, total: count.chosen, audit });
      },
    );
  }
}
