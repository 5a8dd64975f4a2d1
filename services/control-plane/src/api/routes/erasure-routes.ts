import { requestDigest } from '@databridge/schemas/privacy/erasures';
import { z } from 'zod';
import { planErasure } from '../../erasure/erase.ts';
import { KEPT_REASONS } from '../../erasure/receipt.ts';
import type { Api, ApiContext } from '../context.ts';
import { rangeQuery } from '../openapi/models.ts';
import { accepted } from '../operate.ts';
import { problems } from '../problem.ts';

const remainder = z.object({
  topic: z.string(),
  copies: z.int(),
  deletedByMs: z
    .number()
    .optional()
    .describe('when Kafka deletes the bytes at the latest, ms since the epoch; absent: the topic has no limit'),
});
const keptRemainder = remainder.extend({
  because: z.enum(KEPT_REASONS).describe('why the bytes could not be removed at once'),
  places: z
    .array(z.string())
    .optional()
    .describe('of an intake topic: the first 100 records, as `<partition>/<offset>`, for its owner'),
});

const plan = z
  .object({
    events: z.int().describe('distinct events of the call'),
    customers: z.array(z.string()).describe('whose topics contain copies'),
    remainders: z.array(remainder).describe('records that contain them, by topic'),
  })
  .meta({ id: 'ErasurePlan' });

const receipt = plan
  .extend({
    request: z.string().describe('digest of the request id, by which the audit log names the erasure'),
    erasedAtMs: z.number(),
    fromMs: z.number().optional().describe('what is older was not searched, ms since the epoch'),
    deadLetters: z.int().describe('dead letters that were removed'),
    quarantined: z.int().describe('quarantined records that were removed'),
    removed: z.int().describe('records whose bytes Kafka has removed, in all topics of customers and the quarantine'),
    remainders: z.array(keptRemainder).describe('bytes that Kafka still contains, and that nothing reads any more'),
  })
  .meta({ id: 'ErasureReceipt' });

export function erasureRoutes(api: Api, { operations, operate }: ApiContext): void {
  api.post(
    '/v1/erasures',
    {
      config: { isExpensive: true },
      schema: {
        tags: ['operations'],
        summary: 'Erases the events of one call for all customers; a dry run says what it would concern',
        body: z.strictObject({
          // Shorter ones might be in more than one call.
          requestId: z
            .string()
            .regex(/^[\x21-\x7e]{16,128}$/, 'must have 16 to 128 visible ASCII characters')
            .describe('as the events have it in `requestid`'),
          from: rangeQuery.shape.from.describe(
            'the start of the search: no event of the call was written before this time',
          ),
          dryRun: z.boolean().default(false),
        }),
        response: { 200: z.union([receipt, plan]), ...accepted, ...problems },
      },
    },
    async (request, reply) => {
      const { requestId, from, dryRun } = request.body;
      const call = { requestId, ...(from !== undefined && { fromMs: Date.parse(from) }) };
      if (dryRun) return await planErasure(operations, call);
      const audit = { what: 'erase', detail: { request: requestDigest(requestId) } } as const;
      return await operate(request, reply, { kind: 'erase', input: call, audit });
    },
  );
}
