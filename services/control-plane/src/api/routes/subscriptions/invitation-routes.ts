import { durationMs } from '@databridge/kernel/settings/config';
import { systemClock } from '@databridge/kernel/time/clock';
import type { Invitation } from '@databridge/schemas/records/invitations';
import { CUSTOMER_PATTERN } from '@databridge/schemas/records/topics';
import { z } from 'zod';
import { approve } from '../../../invitations/approve.ts';
import {
  type Asked,
  DEFAULT_LIFE_MS,
  type Invited,
  invite,
  MAX_LIFE_MS,
  renewInvitation,
  revokeInvitation,
} from '../../../invitations/invite.ts';
import { callerOf } from '../../auth/access.ts';
import type { Api, ApiContext } from '../../context.ts';
import { customerParams } from '../../openapi/models.ts';
import { problems } from '../../problem.ts';

const tags = ['invitations'];

const invitationAnswer = z
  .object({
    id: z.string().describe('names the invitation; it is not the id of the link'),
    customer: z.string(),
    kind: z.enum(['secrets', 'setup']),
    places: z.array(z.string()),
    setup: z.record(z.string(), z.unknown()).optional().describe('of a set-up: what the customer is to get'),
    hosts: z.array(z.string()).optional(),
    reason: z.string().optional(),
    by: z.string(),
    createdAtMs: z.number(),
    expiresAtMs: z.number(),
    state: z.enum(['open', 'used', 'locked', 'revoked', 'expired']),
    failures: z.int().describe('wrong codes'),
    usedAtMs: z.number().optional(),
    receipt: z.string().optional().describe('the receipt that the page showed to the person who answered'),
  })
  .meta({ id: 'Invitation' });

const invited = invitationAnswer
  .extend({
    link: z.string().describe('shown once; good for one answer'),
    code: z.string().describe('shown once; send it by another channel than the link'),
  })
  .meta({ id: 'NewInvitation' });

/** Whole minutes, hours or days, none of them above seven days. */
const LIFE = /^([1-9][0-9]{0,3}m|([1-9]|[1-9][0-9]|1[0-5][0-9]|16[0-8])h|[1-7]d)$/;

const life = z
  .string()
  .max(32)
  .regex(LIFE, 'must be a duration from 1m to 7d, such as 90m, 72h or 7d')
  .default('72h')
  .refine((text) => isLife(durationMs(text)), 'must be a duration from 1m to 7d')
  .describe('how long the link is valid: at most 7d, default 72h');
const isLife = (ms: number | undefined) => ms !== undefined && ms >= 60_000 && ms <= MAX_LIFE_MS;

const body = z.strictObject({
  customer: z.string().regex(CUSTOMER_PATTERN, 'must be 1 to 63 of a-z, 0-9 and -'),
  secrets: z.array(z.string().min(1).max(400)).min(1).max(20).optional().describe('places, such as authentication.key'),
  setup: z
    .strictObject({
      eventTypes: z.array(z.string()).min(1).max(100),
      match: z.unknown(),
      filter: z.string().max(8_192).optional(),
      sections: z.array(z.string()).max(100).optional(),
    })
    .optional()
    .describe(
      'in the place of secrets: the customer states destination, authentication and rate; this is what it gets',
    ),
  hosts: z
    .array(z.string().min(1).max(253))
    .max(20)
    .optional()
    .describe('that a set-up may name; *.example.com for all below'),
  reason: z.string().min(1).max(500).optional().describe('shown to the person who is invited'),
  life,
});

const params = z.object({ id: z.string().min(1).max(64) });

export function invitationRoutes(api: Api, { operations, change, invitationLink }: ApiContext): void {
  const withLink = ({ invitation, linkId, code }: Invited) => ({
    ...shown(invitation, systemClock.nowMs()),
    link: invitationLink(linkId),
    code,
  });

  api.post(
    '/v1/invitations',
    {
      schema: {
        tags,
        summary: 'Invites a customer to enter secrets, or to set itself up, on a page that accepts one answer',
        body: body.refine(({ secrets, setup }) => (secrets === undefined) !== (setup === undefined), {
          path: ['secrets'],
          error: 'give either secrets or setup',
        }),
        response: { 201: invited, ...problems },
      },
    },
    async (request, reply) => {
      const { customer, secrets, setup, hosts, reason, life: text } = request.body;
      invitationLink('');
      const { name, role } = callerOf(request);
      const grant = setup === undefined ? undefined : (JSON.parse(JSON.stringify(setup)) as Asked['grant']);
      const lifeMs = durationMs(text) ?? DEFAULT_LIFE_MS;
      reply.code(201);
      return await change(request, customer, async (context) =>
        withLink(
          await invite(
            context,
            { name, role },
            { customer, places: secrets, grant, hosts, reason, lifeMs },
            systemClock.nowMs(),
          ),
        ),
      );
    },
  );

  api.get(
    '/v1/invitations',
    {
      schema: {
        tags,
        summary: 'Invitations, the newest first',
        response: { 200: z.object({ items: z.array(invitationAnswer) }), ...problems },
      },
    },
    async () => ({
      items: [...(await operations.invitations()).values()]
        .sort((a, b) => b.createdAtMs - a.createdAtMs)
        .slice(0, 1_000)
        .map((one) => shown(one, systemClock.nowMs())),
    }),
  );

  api.post(
    '/v1/invitations/:id/renew',
    {
      config: { opaqueParams: ['id'] },
      schema: {
        tags,
        summary: 'Replaces a link and code that were not answered by new ones; the earlier link becomes invalid',
        params,
        body: z.strictObject({ life }),
        response: { 201: invited, ...problems },
      },
    },
    async (request, reply) => {
      invitationLink('');
      const { name, role } = callerOf(request);
      const lifeMs = durationMs(request.body.life) ?? DEFAULT_LIFE_MS;
      const customer = await customerOf(request.params.id);
      reply.code(201);
      return await change(request, customer, async (context) =>
        withLink(await renewInvitation(context, { name, role }, request.params.id, lifeMs, systemClock.nowMs())),
      );
    },
  );

  api.post(
    '/v1/invitations/:id/revoke',
    {
      config: { opaqueParams: ['id'] },
      schema: {
        tags,
        summary: 'Revokes an invitation: its link becomes invalid',
        params,
        response: { 200: invitationAnswer, ...problems },
      },
    },
    async (request) => {
      const customer = await customerOf(request.params.id);
      return await change(request, customer, async (context) =>
        shown(await revokeInvitation(context, request.params.id, systemClock.nowMs()), systemClock.nowMs()),
      );
    },
  );

  api.post(
    '/v1/subscriptions/:customer/approve',
    {
      schema: {
        tags,
        summary:
          'Approves the set-up that a customer entered by an invitation: it was paused until now, and events flow to it',
        params: customerParams,
        response: {
          200: z.object({
            customer: z.string(),
            state: z.enum(['active', 'paused', 'disabled']).describe('disabled: an operator disabled it meanwhile'),
          }),
          ...problems,
        },
      },
    },
    async (request) => {
      const { customer } = request.params;
      return await change(request, customer, async (context) => ({
        customer,
        state: await approve(context, customer),
      }));
    },
  );

  const customerOf = async (id: string) => (await operations.invitations()).get(id)?.customer;
}

function shown(invitation: Invitation, nowMs: number): z.infer<typeof invitationAnswer> {
  const { id, customer, kind, places, grant, hosts, reason, by, createdAtMs, expiresAtMs, failures, changedAtMs } =
    invitation;
  const { state, receipt } = invitation;
  return {
    ...{ id, customer, kind, places, by: by.name, createdAtMs, expiresAtMs, failures },
    state: state === 'open' && expiresAtMs <= nowMs ? 'expired' : state,
    ...(grant !== undefined && { setup: grant }),
    ...(hosts !== undefined && { hosts }),
    ...(reason !== undefined && { reason }),
    ...(state === 'used' && { usedAtMs: changedAtMs }),
    ...(receipt !== undefined && { receipt: receipt.id }),
  };
}
