import { durationMs } from '@databridge/kernel/settings/config';
import { systemClock } from '@databridge/kernel/time/clock';
import { z } from 'zod';
import { endFallback, secretsOf, setSecret } from '../../../subscriptions/set-secret.ts';
import type { Api, ApiContext } from '../../context.ts';
import { customerParams, sealedSecret } from '../../openapi/models.ts';
import { problems } from '../../problem.ts';
import { storedBy } from './subscription-routes.ts';

const tags = ['secrets'];

/** Long enough for a customer to change its side on the next day. */
const DEFAULT_OVERLAP = '24h';
const MAX_OVERLAP_MS = 30 * 86_400_000;

const overlap = z
  .string()
  .max(32)
  .default(DEFAULT_OVERLAP)
  .refine(
    (text) => (durationMs(text) ?? Number.POSITIVE_INFINITY) <= MAX_OVERLAP_MS,
    'must be a duration of 30d at most',
  )
  .describe(
    `how long the old one is still used at destinations that do not know the new one; 0s: not at all. Default ${DEFAULT_OVERLAP}`,
  );

const secretName = z.string().min(1).max(400);

const secretAnswer = z
  .object({
    name: z.string().describe('its place in the subscription'),
    setAtMs: z.number().optional().describe('ms since the epoch'),
    fallbackUntilMs: z.number().optional().describe('the previous secret is used until this time'),
  })
  .meta({ id: 'Secret' });

export function secretRoutes(api: Api, { operations, change }: ApiContext): void {
  api.get(
    '/v1/subscriptions/:customer/secrets',
    {
      schema: {
        tags,
        summary: 'The names of secrets, and since when each is set; never their values',
        params: customerParams,
        response: { 200: z.object({ items: z.array(secretAnswer) }), ...problems },
      },
    },
    async ({ params: { customer } }) => ({
      items: secretsOf(await storedBy(operations, customer), systemClock.nowMs()).map((one) => ({ ...one })),
    }),
  );

  api.put(
    '/v1/subscriptions/:customer/secrets/:name',
    {
      schema: {
        tags,
        summary: 'Replaces a secret without a restart; the old one stays a fallback for a while',
        params: customerParams.extend({ name: secretName }),
        body: z.union([
          z.strictObject({ value: z.string().min(1).max(65_536), overlap }),
          z.strictObject({
            sealed: sealedSecret.describe('sealed for this customer and place, by a key of GET /v1/sealing-keys'),
            overlap,
          }),
        ]),
        response: { 200: secretAnswer, ...problems },
      },
    },
    async (request) => {
      const { customer, name } = request.params;
      const { overlap: given, ...secret } = request.body;
      const overlapMs = durationMs(given) ?? 0;
      return await change(request, customer, async (context) => ({
        ...(await setSecret(context, customer, name, secret, overlapMs, systemClock.nowMs())),
      }));
    },
  );

  api.delete(
    '/v1/subscriptions/:customer/secrets/:name/fallback',
    {
      schema: {
        tags,
        summary: 'Ends the use of the previous secret: from now on only the current one is used',
        params: customerParams.extend({ name: secretName }),
        response: { 200: secretAnswer, ...problems },
      },
    },
    async (request) => {
      const { customer, name } = request.params;
      return await change(request, customer, async (context) => ({
        ...(await endFallback(context, customer, name, systemClock.nowMs())),
      }));
    },
  );
}
