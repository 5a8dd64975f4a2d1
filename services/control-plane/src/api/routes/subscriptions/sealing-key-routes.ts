import { z } from 'zod';
import { exchangeSeals, sealsToRotate } from '../../../subscriptions/reseal.ts';
import type { Api, ApiContext } from '../../context.ts';
import { customerParams, sealedSecret } from '../../openapi/models.ts';
import { problems } from '../../problem.ts';

const tags = ['secrets'];
/** The limit of customers with seals to rotate in one answer. */
const MAX_CUSTOMERS = 200;

const coordinate = z.string().describe('base64url');
const place = z.string().min(1).max(800);

export function sealingKeyRoutes(api: Api, { operations, change }: ApiContext): void {
  api.get(
    '/v1/sealing-keys',
    {
      schema: {
        tags,
        summary: 'The public keys for which secrets are sealed (JWE, ECDH-ES on P-256, A256GCM), the current one first',
        response: {
          200: z.object({
            items: z.array(z.object({ kid: z.string(), x: coordinate, y: coordinate }).meta({ id: 'SealingKey' })),
          }),
          ...problems,
        },
      },
    },
    async () => ({ items: operations.desk.sealingKeys.map((key) => ({ ...key })) }),
  );

  api.get(
    '/v1/seals-to-rotate',
    {
      schema: {
        tags,
        summary:
          'Sealed secrets that are not under the current key, by customer; only holders of the private keys can open them',
        querystring: z.strictObject({
          after: z.string().max(63).optional().describe('only customers whose names come after this one'),
        }),
        response: {
          200: z.object({
            items: z.array(
              z.object({
                customer: z.string(),
                secrets: z.array(z.object({ place: z.string(), sealed: z.string() })),
              }),
            ),
          }),
          ...problems,
        },
      },
    },
    async ({ query: { after = '' } }) => ({
      items: sealsToRotate(await operations.subscriptions(), operations.desk.kids[0])
        .filter(({ customer }) => customer > after)
        .slice(0, MAX_CUSTOMERS)
        .map(({ customer, secrets }) => ({ customer, secrets: secrets.map((one) => ({ ...one })) })),
    }),
  );

  api.post(
    '/v1/subscriptions/:customer/reseals',
    {
      schema: {
        tags,
        summary:
          'Exchanges sealed secrets for the same ones under the current key; the stored seals must be the given ones',
        params: customerParams,
        body: z.strictObject({
          secrets: z
            .array(z.strictObject({ place, from: sealedSecret, to: sealedSecret }))
            .min(1)
            .max(1_000),
        }),
        response: { 200: z.object({ resealed: z.int() }), ...problems },
      },
    },
    async (request) =>
      await change(request, request.params.customer, async (context) => ({
        resealed: await exchangeSeals(context, request.params.customer, request.body.secrets),
      })),
  );
}
