/** The events that all rows work with: of about 2 KB, few enough to be encoded once, and taken in turns. */
import type { EventType } from '@databridge/schemas/event/event-types';
import { rootCauseEvent } from '../harness/events.ts';

const SAMPLES = 200;
/** Makes an Avro event of 1.9 KB. */
const TRANSCRIPT_BYTES = 1_430;
const SENTENCE = 'hello my name is [NAME] and i moved to [ADDRESS] last week so my bills went to the old place ';

/** Every sample, framed as a producer frames it. @param companies to which the events belong, in turns */
export function samples(eventType: EventType, schemaId: number, companies: readonly string[] = ['bench']): Buffer[] {
  const count = Math.ceil(SAMPLES / companies.length) * companies.length;
  return Array.from({ length: count }, (_, at) => {
    const transcript = SENTENCE.repeat(20).slice(at % SENTENCE.length, (at % SENTENCE.length) + TRANSCRIPT_BYTES);
    const company = companies[at % companies.length] as string;
    return eventType.encode(schemaId, rootCauseEvent({ company, transcript }));
  });
}
