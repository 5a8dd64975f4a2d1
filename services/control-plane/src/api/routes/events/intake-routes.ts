import { type EventType, impliedEventType } from '@databridge/schemas/event/event-types';
import { suggestion } from '@databridge/schemas/subscription/issue-words';
import { z } from 'zod';
import { produceEvent } from '../../../operations/produce-event.ts';
import type { Api, ApiContext } from '../../context.ts';
import { InvalidBody, problems } from '../../problem.ts';

const producedBody = z.strictObject({
  event: z.record(z.string(), z.unknown()).describe('the event, by the fields of its Avro schema'),
  eventType: z.string().optional().describe('may be left out while there is only one besides notices'),
  eventId: z
    .string()
    .regex(/^[\x21-\x7e]{1,128}$/, 'must be 1 to 128 visible ASCII characters')
    .optional()
    .describe('the id by which receivers drop duplicates; left out: a new one'),
});

const producedAnswer = z
  .object({
    eventId: z.string(),
    eventType: z.string(),
    topic: z.string().describe('the intake topic that the event was written to'),
    source: z.string().describe('where it is stored there, as `<topic>/<partition>/<offset>`: attempts at it name it'),
    customers: z
      .array(z.object({ customer: z.string(), state: z.enum(['active', 'paused', 'disabled']) }))
      .describe('whose match and filter accept the event'),
  })
  .meta({ id: 'ProducedEvent' });

/** A caller that may write events can send anything to any customer: only operators may. */
export function intakeRoutes(api: Api, { operations, intake, change }: ApiContext): void {
  api.post(
    '/v1/events',
    {
      schema: {
        tags: ['events'],
        summary: 'Writes one event to the intake topic, for trials and support',
        body: producedBody,
        response: { 200: producedAnswer, ...problems },
      },
    },
    async (request) => {
      const { event, eventType, eventId } = request.body;
      const type = typeNamed(eventType, intake.eventTypes);
      const misfits = type.misfitsOf(event);
      if (misfits.length > 0) {
        throw new InvalidBody(misfits.map(({ path, message }) => ({ path: ['event', ...path], message })));
      }
      const detail = { eventType: type.name, ...(eventId !== undefined && { eventId }) };
      await change(request, undefined, ({ commit }) => commit([{ what: 'produce', detail }]));
      return await produceEvent(operations, intake, type, event, eventId);
    },
  );
}

function typeNamed(name: string | undefined, types: readonly EventType[]): EventType {
  const known = types.map((type) => type.name);
  const wanted = name ?? impliedEventType(known);
  const found = types.find((type) => type.name === wanted);
  if (found !== undefined) return found;
  const message =
    name === undefined ? `must be one of ${known.join(', ')}` : `is not an event type${suggestion(name, known)}`;
  throw new InvalidBody([{ path: ['eventType'], message }]);
}
