import { z } from 'zod';
import { noteOperation } from '../../operations/note-operation.ts';
import { rehearse } from '../../rehearsal/rehearse.ts';
import type { Api, ApiContext } from '../context.ts';
import { customerParams } from '../openapi/models.ts';
import { problems } from '../problem.ts';

const finding = z.object({
  case: z.string(),
  expects: z.enum(['accepted', 'refused']),
  verdict: z.enum(['passed', 'failed', 'skipped']),
  text: z.string().describe('the answer, and the remedy if it is wrong'),
  status: z.int().optional(),
});

const rehearsalAnswer = z
  .object({ customer: z.string(), eventType: z.string(), findings: z.array(finding) })
  .meta({ id: 'Rehearsal' });

export function rehearsalRoutes(api: Api, { operations, attempts, change }: ApiContext): void {
  api.post(
    '/v1/subscriptions/:customer/rehearsals',
    {
      config: { isExpensive: true },
      schema: {
        ...{ tags: ['operations'], summary: 'Tries an endpoint with test events of normal operation and of failures' },
        params: customerParams,
        body: z.strictObject({ eventType: z.string().min(1).max(63).optional() }).nullish(),
        response: { 200: rehearsalAnswer, ...problems },
      },
    },
    async (request) => {
      const { customer } = request.params;
      const asked = request.body ?? {};
      await change(request, customer, (context) => noteOperation(context, 'rehearse', customer, asked));
      const { findings, ...rest } = await rehearse(operations, attempts, customer, asked.eventType);
      return { ...rest, findings: [...findings] };
    },
  );
}
