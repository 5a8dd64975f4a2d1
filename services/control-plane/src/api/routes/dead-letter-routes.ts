import { readDeadLetterHeaders } from '@databridge/schemas/records/headers';
import { deadTopic } from '@databridge/schemas/records/topics';
import { z } from 'zod';
import { readLetters } from '../../operations/letters.ts';
import { countDeadLetters } from '../../operations/redrive.ts';
import { readCustomer } from '../../views/customer.ts';
import type { Api, ApiContext } from '../context.ts';
import { customerParams, deadLetter, filterOf, letterCount, lettersBody, page, takenOut } from '../openapi/models.ts';
import { accepted } from '../operate.ts';
import { problems } from '../problem.ts';

const tags = ['operations'];
const params = customerParams;

export function deadLetterRoutes(api: Api, { operations, operate }: ApiContext): void {
  api.get(
    '/v1/subscriptions/:customer/dead-letters',
    {
      config: { isExpensive: true },
      schema: {
        tags,
        summary: 'Dead letters that were neither redriven nor discarded, the oldest first',
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

  for (const [name, kind, summary] of [
    ['redrives', 'redrive', 'Delivers dead letters once more; a dry run counts them'],
    ['discards', 'discard', 'Gives dead letters up for good; a dry run counts them'],
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
