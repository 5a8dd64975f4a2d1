/**
 * The routes for the listener of the set-up page, on behalf of the owner of a link. No token reaches these: their
 * caller is the listener of some control plane, and the writer answers.
 */
import { systemClock } from '@databridge/kernel/time/clock';
import { z } from 'zod';
import { answerInvitation } from '../../../invitations/answer-invitation.ts';
import { invitedToRequest, requestInvited } from '../../../invitations/certificate.ts';
import { noteOf } from '../../../invitations/facts.ts';
import { hashOfLink } from '../../../invitations/invite.ts';
import { openInvitation } from '../../../invitations/open-invitation.ts';
import { testInvited } from '../../../invitations/test-invited.ts';
import { Tickets } from '../../../invitations/tickets.ts';
import type { Api, ApiContext } from '../../context.ts';
import { sealedSecret } from '../../openapi/models.ts';

const setup = z.strictObject({
  destination: z.unknown(),
  authentication: z.unknown(),
  tls: z.unknown().optional(),
  signing: z.unknown().optional(),
  ratePerSecond: z.number().optional(),
});

const config = { access: 'intake' as const };

export function intakePageRoutes(api: Api, { operations, attempts, change }: ApiContext): void {
  // Created at first use: the description of the API is made without keys.
  const tickets = () => new Tickets(operations.desk);

  api.post(
    '/v1/intake-page/opens',
    {
      config,
      schema: { hide: true, body: z.strictObject({ linkId: z.string().max(64), code: z.string().max(64) }) },
    },
    async (request) => {
      // It shares a queue with the answers: neither overwrites the other's changes of the invitation.
      const customer = (await operations.invitations()).get(hashOfLink(request.body.linkId))?.customer;
      return await change(request, customer, (context) =>
        openInvitation(context, tickets(), request.body, systemClock.nowMs()),
      );
    },
  );

  api.post(
    '/v1/intake-page/answers',
    {
      config,
      schema: {
        hide: true,
        body: z.strictObject({
          ticket: z.string().max(4_096),
          secrets: z.record(z.string().max(400), sealedSecret),
          setup: setup.optional(),
          certificate: z.string().min(1).max(65_536).optional(),
        }),
      },
    },
    async (request) => {
      const { ticket: text, ...answer } = request.body;
      const ticket = await tickets().read(text, systemClock.nowMs());
      const invitation = (await operations.invitations()).get(ticket.invitation);
      return await change(request, invitation?.customer, async (context) => {
        const receipt = await answerInvitation(context, ticket, answer, systemClock.nowMs());
        return { receipt: receipt.id, ...noteOf((await context.subscriptions()).get(invitation?.customer ?? '')) };
      });
    },
  );

  api.post(
    '/v1/intake-page/certificate-requests',
    { config, schema: { hide: true, body: z.strictObject({ ticket: z.string().max(4_096) }) } },
    async (request) => {
      const ticket = await tickets().read(request.body.ticket, systemClock.nowMs());
      const { id, customer } = await invitedToRequest(operations, ticket);
      await change(request, customer, (context) =>
        context.commit([{ what: 'request-certificate', customer, detail: { invitation: id } }]),
      );
      const { csr, madeAtMs } = await requestInvited(operations, { id, customer });
      return { csr, madeAtMs };
    },
  );

  api.post(
    '/v1/intake-page/tests',
    { config, schema: { hide: true, body: z.strictObject({ ticket: z.string().max(4_096) }) } },
    async (request) => {
      const ticket = await tickets().read(request.body.ticket, systemClock.nowMs());
      const customer = (await operations.invitations()).get(ticket.invitation)?.customer;
      const detail = { invitation: ticket.invitation };
      if (customer !== undefined) {
        await change(request, customer, (context) => context.commit([{ what: 'test', customer, detail }]));
      }
      return await testInvited(operations, attempts, ticket);
    },
  );
}
