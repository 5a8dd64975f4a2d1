/** What concerns all customers that the caller may see. */
import { z } from 'zod';
import { customerStatuses } from '../../views/status.ts';
import { maySee } from '../auth/access.ts';
import type { Api, ApiContext } from '../context.ts';
import { page, statusAnswer } from '../openapi/models.ts';
import { problems } from '../problem.ts';

const DAY_MS = 86_400_000;

export function overviewRoutes(api: Api, { operations }: ApiContext): void {
  api.get(
    '/v1/status',
    {
      config: { access: 'see' },
      schema: {
        tags: ['operations'],
        summary: 'How all customers are doing that the caller may see, by name',
        querystring: page,
        response: { 200: z.object({ items: z.array(statusAnswer), next: z.string().optional() }), ...problems },
      },
    },
    async ({ query: { limit, cursor }, caller }) => {
      const after = cursor === undefined ? '' : Buffer.from(cursor, 'base64url').toString('utf8');
      const visible = [...(await operations.subscriptions()).keys()]
        .filter((customer) => customer > after && maySee(caller, customer))
        .sort();
      const customers = visible.slice(0, limit);
      const items = await customerStatuses(operations, { attemptsSinceMs: Date.now() - DAY_MS, customers });
      const last = customers.at(-1);
      const next = visible.length > limit && last !== undefined ? Buffer.from(last).toString('base64url') : undefined;
      return { items: items as unknown as z.infer<typeof statusAnswer>[], ...(next !== undefined && { next }) };
    },
  );
}
