import { DatabridgeError } from '@databridge/kernel/errors';
import { headerText, readDeadLetterHeaders } from '@databridge/schemas/records/headers';
import { deadTopic } from '@databridge/schemas/records/topics';
import { z } from 'zod';
import { type Letter, readLetters } from '../../../operations/letters.ts';
import { noteOperation, notePayloadRead } from '../../../operations/note-operation.ts';
import { sendTest } from '../../../operations/send-test.ts';
import { readCustomer } from '../../../views/customer.ts';
import { eventContent } from '../../../views/event-content.ts';
import { callerOf } from '../../auth/access.ts';
import type { Api, ApiContext } from '../../context.ts';
import { customerParams, deadLetter } from '../../openapi/models.ts';
import { problems } from '../../problem.ts';

const tags = ['operations'];

const deadLetterInside = deadLetter
  .extend({
    headers: z.record(z.string(), z.string()).describe('of the record, as text'),
    event: z.unknown().optional().describe('the document that the customer would get'),
    unreadable: z.string().optional().describe('why there is no event'),
  })
  .meta({ id: 'DeadLetterInside' });

const eventContentAnswer = z
  .object({
    event: z.unknown().optional().describe('the document that the customer gets'),
    unreadable: z.string().optional().describe('why there is none'),
  })
  .meta({ id: 'EventContent' });

const testAnswer = z
  .object({
    customer: z.string(),
    eventId: z.string(),
    eventType: z.string(),
    outcome: z.string(),
    durationMs: z.number(),
    status: z.int().optional().describe("the destination's, if there was an answer"),
    error: z.string().optional(),
    answer: z.string().optional().describe('the first part of what the destination answered'),
  })
  .meta({ id: 'TestAnswer' });

/** Reading one event, and sending a test event. */
export function eventRoutes(api: Api, { operations, attempts, events, intake, change }: ApiContext): void {
  api.get(
    '/v1/subscriptions/:customer/dead-letters/:id',
    {
      config: { opaqueParams: ['id'], isExpensive: true },
      schema: {
        tags,
        summary: 'One dead letter from the inside: headers, reason, the event; each reading is audited',
        params: customerParams.extend({ id: z.string().min(1).max(600) }),
        response: { 200: deadLetterInside, ...problems },
      },
    },
    async (request) => {
      const { customer, id } = request.params;
      const { subscription } = await readCustomer(operations, customer);
      const found: Letter[] = [];
      await readLetters(operations, deadTopic(customer), (letters) => {
        found.push(...letters.filter(({ key }) => key === id));
      });
      const letter = found.at(-1)?.record;
      if (letter === undefined) throw new DatabridgeError('DB_NOT_FOUND', `There is no dead letter "${id}"`);
      await notePayloadRead(operations, callerOf(request), customer, { deadLetter: id });
      const { attempt, eventId, eventType, reason, detail, source } = readDeadLetterHeaders(letter.headers);
      const names = Object.keys(letter.headers);
      return {
        ...{ id, eventId, eventType, reason, attempts: attempt, at: letter.timestampMs },
        ...(detail !== undefined && { detail }),
        ...(source !== undefined && { source }),
        headers: Object.fromEntries(names.map((name) => [name, headerText(letter.headers, name) ?? ''])),
        ...(await events.render(eventType, letter.value, subscription.sections)),
      };
    },
  );

  api.get(
    '/v1/subscriptions/:customer/events/:id/content',
    {
      config: { opaqueParams: ['id'], isExpensive: true },
      schema: {
        tags: ['events'],
        summary: 'The document that the customer gets of an event, from its source record; each reading is audited',
        params: customerParams.extend({ id: z.string().min(1).max(600) }),
        response: { 200: eventContentAnswer, ...problems },
      },
    },
    async (request) => {
      const { customer, id } = request.params;
      const { subscription } = await readCustomer(operations, customer);
      await notePayloadRead(operations, callerOf(request), customer, { event: id });
      const { eventTypes } = intake;
      const asked = { customer, eventId: id, sections: subscription.sections };
      const content = await eventContent({ operations, attempts, events, eventTypes }, asked);
      if (content !== undefined) return content;
      throw new DatabridgeError('DB_NOT_FOUND', `No attempt at an event "${id}" was made in the last days`);
    },
  );

  api.post(
    '/v1/subscriptions/:customer/test',
    {
      schema: {
        tags,
        summary: 'Sends a sample event once, and returns the answer of the destination',
        params: customerParams,
        body: z.strictObject({ eventType: z.string().min(1).max(63).optional() }).nullish(),
        response: { 200: testAnswer, ...problems },
      },
    },
    async (request) => {
      const { customer } = request.params;
      const asked = request.body ?? {};
      const { eventType } = asked;
      await change(request, customer, (context) => noteOperation(context, 'test', customer, asked));
      const { eventId, eventType: sent, attempt } = await sendTest(operations, attempts, customer, eventType);
      const { outcome, durationMs, status, error, answer } = attempt;
      return {
        ...{ customer, eventId, eventType: sent, outcome, durationMs },
        ...(status !== undefined && { status }),
        ...(error !== undefined && { error }),
        ...(answer !== undefined && { answer }),
      };
    },
  );
}
