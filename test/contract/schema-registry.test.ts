/** What the services rely on from a real registry, and what they do when there is none. */
import { randomUUID } from 'node:crypto';
import { createServer } from 'node:net';
import { createLogger } from '@databridge/kernel/log';
import { EventReaders } from '@databridge/kernel/registry/event-readers';
import { COMPATIBILITY, SchemaRegistry } from '@databridge/kernel/registry/schema-registry';
import { frame } from '@databridge/schemas/event/confluent-frame';
import { type EventType, loadEventTypes } from '@databridge/schemas/event/event-types';
import { SchemaRegistry as Client, SchemaType } from '@kafkajs/confluent-schema-registry';
import avsc from 'avsc';
import { platform } from '../harness/platform.ts';

const EVENT = {
  schema_version: 'v1.0',
  statusCode: 200,
  summary: {
    filename: 'a.wav',
    requestid: 'a',
    company: 'ACME Corporation',
    organisation: 'North America',
    folder: 'Support',
    processed: true,
    process_result: 'Complete',
    call_summary: { classifier: 'summary', summary: 'Moved house.', multiple_summary_flag: 0 },
  },
};

const log = createLogger('test', 'silent');
// A registry that has just started takes its time.
const registry = () => new SchemaRegistry({ url: platform().registryUrl, timeoutMs: 30_000 });
const uniqueTopic = () => `contract.${randomUUID()}`;

function eventType(line: string, schemas?: Record<string, string>): EventType {
  const [type] = loadEventTypes(line, schemas);
  if (!type) throw new Error('no event type');
  return type;
}

async function registered(type: EventType): Promise<number> {
  await registry().ensureCompatibility(type.subject);
  return registry().register(type.subject, type.schemaJson);
}

async function readerOf(type: EventType, schemaId: number) {
  const lookup = await new EventReaders({ registry: registry(), log }).load(type, schemaId);
  if (lookup.kind !== 'reader') throw new Error(lookup.detail);
  return lookup.reader;
}

interface Field {
  name: string;
  type: unknown;
  default?: unknown;
}
function changed(type: EventType, change: (fields: Field[]) => void): string {
  const schema = JSON.parse(type.schemaJson);
  change(schema.fields);
  return JSON.stringify(schema);
}

test('services that start together set the rule and register together, and all get the same id', async () => {
  for (let round = 0; round < 3; round++) {
    const type = eventType(`root-cause=${uniqueTopic()}`);
    const ids = await Promise.all(Array.from({ length: 8 }, () => registered(type)));
    expect(new Set(ids).size).toBe(1);
  }
});

test('registering again changes nothing: the id stays', async () => {
  const type = eventType(`root-cause=${uniqueTopic()}`);
  expect(await registered(type)).toBe(await registered(type));
});

describe('a schema that does not agree with all earlier ones is refused', () => {
  const type = eventType(`root-cause=${uniqueTopic()}`);
  beforeAll(() => registered(type));

  test.each<[string, (fields: Field[]) => void]>([
    ['a new field without a default: it could not read old events', (f) => f.push({ name: 'x', type: 'string' })],
    ['a published field left out: readers of v1.0 could not read it', (f) => f.splice(1, 1)],
    ['another type', (f) => f.splice(1, 1, { name: 'statusCode', type: 'string' })],
  ])('%s', async (_what, change) => {
    await expect(registry().register(type.subject, changed(type, change))).rejects.toMatchObject({
      code: 'DB_REGISTRY_REFUSED',
    });
  });

  test('also with one that is not the latest', async () => {
    const withField = (fieldType: string, value: unknown) =>
      changed(type, (fields) => fields.push({ name: 'extra', type: fieldType, default: value }));
    await registry().register(type.subject, withField('string', ''));
    await registry().register(type.subject, type.schemaJson);
    await expect(registry().register(type.subject, withField('int', 0))).rejects.toMatchObject({
      code: 'DB_REGISTRY_REFUSED',
    });
  });
});

test('an event of a newer producer is still rendered and routed as v1.0', async () => {
  const type = eventType(`root-cause=${uniqueTopic()}`);
  await registered(type);
  const newer = changed(type, (fields) =>
    fields.unshift({ name: 'sentiment', type: ['null', 'double'], default: null }),
  );
  const id = await registry().register(type.subject, newer);
  const written = avsc.Type.forSchema(JSON.parse(newer)).toBuffer({ ...EVENT, schema_version: 'v1.1', sentiment: 0.5 });

  const reader = await readerOf(type, id);
  expect(String(reader.json(frame(id, written)))).toBe(JSON.stringify(EVENT));
  expect(reader.routing(frame(id, written))).toMatchObject({ company: 'ACME Corporation', folder: 'Support' });
});

test('an event whose schema refers to another subject is read', async () => {
  const type = eventType(`root-cause=${uniqueTopic()}`);
  await registry().ensureCompatibility(type.subject);
  const shared = `shared.${randomUUID()}`;
  const mood = { type: 'record', name: 'Mood', namespace: 'shared', fields: [{ name: 'score', type: 'double' }] };
  await registry().register(shared, JSON.stringify(mood));
  const newer = changed(type, (fields) =>
    fields.unshift({ name: 'mood', type: ['null', 'shared.Mood'], default: null }),
  );
  // As an upstream producer registers it.
  const upstream = new Client({ host: platform().registryUrl });
  const references = [{ name: 'shared.Mood', subject: shared, version: 1 }];
  const { id } = await upstream.register(
    { type: SchemaType.AVRO, schema: newer, references },
    { subject: type.subject, compatibility: COMPATIBILITY },
  );

  const reader = await readerOf(type, id);
  expect(String(reader.json(await upstream.encode(id, { ...EVENT, mood: { score: 0.5 } })))).toBe(
    JSON.stringify(EVENT),
  );
});

test('a schema that is not Avro makes its events unreadable, whatever the registry says of it', async () => {
  const type = eventType(`root-cause=${uniqueTopic()}`);
  const schema = { type: SchemaType.JSON, schema: '{"$schema":"http://json-schema.org/draft-07/schema#"}' } as const;
  const { id } = await new Client({ host: platform().registryUrl }).register(schema, { subject: type.subject });
  const lookup = await new EventReaders({ registry: registry(), log }).load(type, id);
  expect(lookup).toMatchObject({ kind: 'unreadable', reason: 'incompatible-schema' });
});

test('the rule is set before the first schema, and remains after it', async () => {
  const type = eventType(`root-cause=${uniqueTopic()}`);
  await registered(type);
  const rule = await fetch(`${platform().registryUrl}/config/${type.subject}`);
  expect(await rule.json()).toMatchObject({ compatibilityLevel: COMPATIBILITY });
});

test('a second event type takes a schema and a line of configuration', async () => {
  const fields = [
    { name: 'company', type: 'string' },
    { name: 'score', type: 'int' },
  ];
  const schema = { type: 'record', name: 'CallQuality', fields };
  const type = eventType(`call-quality=${uniqueTopic()}`, { 'call-quality': JSON.stringify(schema) });

  const id = await registered(type);
  const value = type.encode(id, { company: 'ACME', score: 5 });
  const reader = await readerOf(type, id);
  expect(reader.routing(value)).toEqual({ company: 'ACME' });
  expect(String(reader.json(value))).toBe('{"company":"ACME","score":5}');
});

test('an id that was never given is unknown, not unreachable', async () => {
  expect(await registry().writerSchema(2 ** 31 - 1)).toEqual({ kind: 'unknown-id' });
});

test('a registry that is not there is unreachable, and no schema unknown for it', async () => {
  const listener = createServer();
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
  const address = listener.address() as { port: number };
  await new Promise((resolve) => listener.close(resolve));
  const gone = new SchemaRegistry({ url: `http://127.0.0.1:${address.port}` });
  expect(await gone.writerSchema(1)).toMatchObject({ kind: 'unreachable' });
  await expect(gone.ensureCompatibility('s')).rejects.toMatchObject({ code: 'DB_REGISTRY_UNAVAILABLE' });
});
