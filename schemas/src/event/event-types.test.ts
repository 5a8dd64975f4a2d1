import { readFileSync } from 'node:fs';
import avsc from 'avsc';
import fc from 'fast-check';
import { pinnedSchemasModule } from '../../avro/pinned-schemas-module.ts';
import { EventTypesError, IncompatibleSchemaError, MalformedEventError } from '../errors.ts';
import { frame } from './confluent-frame.ts';
import { type EventType, loadEventTypes } from './event-types.ts';
import { anyText } from './text-fixture.ts';

const ID = 7;
const rootCause = only(loadEventTypes('root-cause=root-cause.events'));

function only(types: EventType[]): EventType {
  const [type] = types;
  if (!type || types.length > 1) throw new Error(`expected one event type, got ${types.length}`);
  return type;
}

const place = { company: 'ACME Corporation', organisation: 'North America', folder: 'Support' };
const head = {
  filename: '0b5d.wav',
  requestid: '0b5d',
  ...place,
  processed: true,
  process_result: 'Complete',
};
const EVENT = {
  schema_version: 'v1.0',
  statusCode: 200,
  summary: { ...head, call_summary: { classifier: 'summary', summary: 'They "moved".', multiple_summary_flag: 0 } },
  intent: {
    ...head,
    call_intent: {
      classifier: 'intent',
      identified_intent: true,
      reason: 'moved house',
      dimension_category_id: null,
      category_name: 'support',
      sub_category: 'update address',
      classification_version: 'vi8',
    },
  },
};
const OWN = rootCause.readerFor(rootCause.schemaJson);

describe('the document', () => {
  test('has the published order; absent sections are absent, a value that is not there is null', () => {
    const backwards = Object.fromEntries(Object.entries(EVENT).reverse());
    expect(String(OWN.json(rootCause.encode(ID, backwards)))).toBe(JSON.stringify(EVENT));
  });

  test('has the sections that are asked for, in its own order, and what is no section always', () => {
    const event = { ...EVENT, clientwords: 'my name is [name]' };
    const document = (sections: string[]) =>
      Object.keys(JSON.parse(String(OWN.json(rootCause.encode(ID, event), sections))));
    expect(document(['intent', 'clientwords'])).toEqual(['schema_version', 'statusCode', 'clientwords', 'intent']);
    // One that this event does not have, and one that no event has.
    expect(document(['callback', 'nonsense'])).toEqual(['schema_version', 'statusCode']);
    expect(rootCause.sections).toEqual(['summary', 'clientwords', 'intent', 'dissatisfaction', 'callback']);
  });

  test('has every section that the event has', () => {
    const event = { ...EVENT, clientwords: 'my name is [name]', callback: { ...head, call_callback: {} } };
    const document = JSON.parse(String(OWN.json(rootCause.encode(ID, event))));
    expect(Object.keys(document)).toEqual([
      'schema_version',
      'statusCode',
      'summary',
      'clientwords',
      'intent',
      'callback',
    ]);
    expect(document.callback.call_callback).toMatchObject({ classifier: 'callback', identified_callback: false });
  });

  test('is always JSON, and says what the event says', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.option(anyText()), (words, category) => {
        const callIntent = { ...EVENT.intent.call_intent, dimension_category_id: category };
        const event = { ...EVENT, clientwords: words, intent: { ...EVENT.intent, call_intent: callIntent } };
        const document = JSON.parse(String(OWN.json(rootCause.encode(ID, event))));
        expect(document.clientwords).toBe(words);
        expect(document.intent.call_intent.dimension_category_id).toBe(category);
      }),
    );
  });
});

describe('routing', () => {
  test('takes company, organisation and folder from the first section that states them', () => {
    expect(OWN.routing(rootCause.encode(ID, EVENT))).toEqual(place);
    const { intent, ...rest } = EVENT;
    const later = {
      ...rest,
      summary: null,
      dissatisfaction: { ...head, company: '' },
      callback: { ...head, company: 'B' },
    };
    expect(OWN.routing(rootCause.encode(ID, later))).toEqual({ ...place, company: 'B' });
  });

  test('of an event without sections is empty', () => {
    expect(OWN.routing(rootCause.encode(ID, { schema_version: 'v1.0', statusCode: 200 }))).toEqual({});
  });
});

describe('a newer producer', () => {
  const newer = JSON.parse(rootCause.schemaJson);
  newer.fields.splice(1, 0, { name: 'sentiment', type: ['null', 'double'], default: null });
  newer.fields[3].type[1].fields.unshift({ name: 'region', type: { type: 'array', items: 'string' }, default: [] });
  const writer = avsc.Type.forSchema(newer);
  const written = frame(
    8,
    writer.toBuffer({
      ...EVENT,
      schema_version: 'v1.1',
      sentiment: 0.5,
      summary: { ...EVENT.summary, region: ['a', 'b'] },
    }),
  );
  const reader = rootCause.readerFor(JSON.stringify(newer));

  test('is still rendered as v1.0, which the document says too', () => {
    expect(String(reader.json(written))).toBe(JSON.stringify(EVENT));
  });

  test('is routed', () => {
    expect(reader.routing(written)).toEqual(place);
  });

  test('that drops an inferred field gets its default', () => {
    const older = JSON.parse(rootCause.schemaJson);
    const intent = older.fields.find(({ name }: { name: string }) => name === 'intent');
    intent.type[1].fields.at(-1).type[1].fields.pop();
    const value = frame(9, avsc.Type.forSchema(older).toBuffer(EVENT));
    const document = JSON.parse(String(rootCause.readerFor(JSON.stringify(older)).json(value)));
    expect(document.intent.call_intent.classification_version).toBe('');
  });
});

describe('what can’t be read', () => {
  test('is said to be malformed, wherever it is cut, by both ways of reading', () => {
    const whole = rootCause.encode(ID, EVENT);
    fc.assert(
      fc.property(fc.integer({ min: 0, max: whole.length - 1 }), (length) => {
        const cut = whole.subarray(0, length);
        expect(() => OWN.routing(cut)).toThrow(MalformedEventError);
        expect(() => OWN.json(cut)).toThrow(MalformedEventError);
      }),
    );
    expect(() => OWN.routing(Buffer.concat([whole, Buffer.from('x')]))).toThrow(/trailing/);
  });

  test('never throws anything but that, whatever the bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        const value = frame(ID, Buffer.from(bytes));
        for (const read of [OWN.routing, OWN.json]) {
          try {
            read(value);
          } catch (error) {
            expect(error).toBeInstanceOf(MalformedEventError);
          }
        }
      }),
      { numRuns: 300 },
    );
  });

  test.each(['"string"', '{', '{"type":"record","name":"Other","fields":[]}', '"NoSuchType"'])(
    'a writer’s schema that does not resolve (%s) is incompatible',
    (schema) => {
      expect(() => rootCause.readerFor(schema)).toThrow(IncompatibleSchemaError);
    },
  );
});

describe('event types', () => {
  const quality = {
    type: 'record',
    name: 'CallQuality',
    fields: [
      { name: 'company', type: 'string' },
      { name: 'score', type: 'int' },
      { name: 'audio', type: ['null', 'bytes'], default: null },
      { name: 'tags', type: { type: 'map', values: 'string' }, default: {} },
    ],
  };
  const either = { type: 'record', name: 'E', fields: [{ name: 'a', type: ['int', 'string'] }] };
  const schemas = { 'call-quality': JSON.stringify(quality), either: JSON.stringify(either) };

  test('are those of the files in schemas/avro: else run "npm run schemas"', () => {
    expect(readFileSync(new URL('pinned-schemas.ts', import.meta.url), 'utf8')).toBe(pinnedSchemasModule());
    const file = new URL('../../avro/root-cause.v1.0.avsc', import.meta.url);
    expect(rootCause.schemaJson).toBe(readFileSync(file, 'utf8'));
  });

  test('another one takes a schema and a line of configuration, and no code', () => {
    const quality = only(loadEventTypes('call-quality=quality.events', schemas));
    expect(quality).toMatchObject({ name: 'call-quality', topic: 'quality.events', subject: 'quality.events-value' });
    const value = quality.encode(1, { company: 'ACME', score: 3, audio: Buffer.from('hi'), tags: { a: 'b' } });
    const reader = quality.readerFor(quality.schemaJson);
    expect(reader.routing(value)).toEqual({ company: 'ACME' });
    expect(String(reader.json(value))).toBe('{"company":"ACME","score":3,"audio":"aGk=","tags":{"a":"b"}}');
  });

  test('whose events could not end are refused, lists of themselves are not', () => {
    const itself = (type: unknown) => ({ type: 'record', name: 'E', fields: [{ name: 'a', type }] });
    const load = (type: unknown) => loadEventTypes('e=e', { e: JSON.stringify(itself(type)) });
    expect(() => load('E')).toThrow(/E contains itself, so no such event can end/);
    expect(load({ type: 'array', items: 'E' })[0]?.sample()).toBe('{"a":[]}');
  });

  test('are refused with all mistakes at once', () => {
    const line = 'call-quality=a,call-quality=b,none=c,other=a,nonsense,either=d';
    expect(() => loadEventTypes(line, schemas)).toThrow(EventTypesError);
    try {
      loadEventTypes(line, schemas);
    } catch (error) {
      expect((error as EventTypesError).mistakes).toEqual([
        'event type call-quality is named twice',
        expect.stringContaining('no schema none.v1.0.avsc; there are schemas for: call-quality, either'),
        expect.stringContaining('topic a is the intake of two event types'),
        expect.stringContaining('"nonsense" is not'),
        expect.stringContaining('either: union'),
      ]);
    }
  });
});

test('every field of the pinned schemas says what it is', () => {
  const undocumented: string[] = [];
  const visit = (type: unknown): void => {
    if (Array.isArray(type)) type.forEach(visit);
    const { fields } = type as { fields?: { name: string; doc?: string; type: unknown }[] };
    for (const field of fields ?? []) {
      if (!field.doc) undocumented.push(field.name);
      visit(field.type);
    }
  };
  visit(JSON.parse(rootCause.schemaJson));
  expect(undocumented).toEqual([]);
});
