import { AUDITED_ACTIONS } from '@databridge/schemas/records/audit';
import { CUSTOMER_PATTERN } from '@databridge/schemas/records/topics';
import { z } from 'zod';
import { readAudit } from '../../views/audit-log.ts';
import { readCustomer } from '../../views/customer.ts';
import type { Api, ApiContext } from '../context.ts';
import { customerParams, page } from '../openapi/models.ts';
import { problems } from '../problem.ts';

const asSeen = z.record(z.string(), z.unknown());

const auditAnswer = z
  .object({
    id: z.string(),
    at: z.number().describe('ms since the epoch'),
    who: z.object({
      id: z.string().optional().describe('tells tokens of one name apart'),
      ...{ name: z.string(), role: z.string(), customer: z.string().optional() },
    }),
    what: z.enum(AUDITED_ACTIONS),
    customer: z.string().optional().describe('absent: it does not concern a single one'),
    before: asSeen.optional().describe('the subscription, secrets masked'),
    after: asSeen.optional(),
    changes: z
      .array(z.object({ pointer: z.string(), before: z.string().optional(), after: z.string().optional() }))
      .optional()
      .describe('in the place of before and after, if those are too large'),
    moreChanges: z.int().optional().describe('differences beyond `changes`'),
    secrets: z.array(z.string()).optional().describe('places of those that differ'),
    detail: asSeen.optional().describe('the input of an operation'),
  })
  .meta({ id: 'AuditRecord' });

/** The place in the log. */
const place = z.coerce.number().int().min(0).max(Number.MAX_SAFE_INTEGER).optional();

export function auditRoutes(api: Api, { operations }: ApiContext): void {
  api.get(
    '/v1/audit',
    {
      config: { isExpensive: true },
      schema: {
        tags: ['audit'],
        summary: 'Who changed what, the newest first; secrets are left out',
        querystring: page.extend({
          cursor: place,
          customer: z.string().regex(CUSTOMER_PATTERN).optional(),
        }),
        response: { 200: z.object({ items: z.array(auditAnswer), next: z.string().optional() }), ...problems },
      },
    },
    async ({ query: { limit, cursor, customer } }) => {
      const asked = { ...(customer !== undefined && { customer }), ...(cursor !== undefined && { before: cursor }) };
      const { items, next } = await readAudit(operations, { limit, ...asked });
      return { items: items.map((one) => ({ ...one })), ...(next !== undefined && { next: String(next) }) };
    },
  );

  api.get(
    '/v1/subscriptions/:customer/audit',
    {
      config: { isExpensive: true },
      schema: {
        tags: ['audit'],
        summary: 'Who changed what of one customer, the newest first',
        params: customerParams,
        querystring: page.extend({ cursor: place }),
        response: { 200: z.object({ items: z.array(auditAnswer), next: z.string().optional() }), ...problems },
      },
    },
    async ({ params: { customer }, query: { limit, cursor } }) => {
      await readCustomer(operations, customer);
      const { items, next } = await readAudit(operations, {
        ...{ customer, limit },
        ...(cursor !== undefined && { before: cursor }),
      });
      return { items: items.map((one) => ({ ...one })), ...(next !== undefined && { next: String(next) }) };
    },
  );
}
