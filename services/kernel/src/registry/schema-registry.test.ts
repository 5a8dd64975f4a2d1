import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import avsc from 'avsc';
import { SchemaRegistry } from './schema-registry.ts';

let server: Server;
let url: string;
let answer: { status: number; body: string } | 'never' | 'cut short' | 'half, then silence';
let asked: string[];

beforeEach(async () => {
  asked = [];
  server = createServer((request, response) => {
    asked.push(`${request.method} ${request.url}`);
    if (typeof answer === 'object') {
      response.writeHead(answer.status).end(answer.body);
    } else if (answer !== 'never') {
      response.writeHead(404, { 'content-length': 100 });
      response.write('{', () => answer === 'cut short' && response.destroy());
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});

afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

const json = (status: number, body: object | null) => ({ status, body: JSON.stringify(body) });

test('a schema is asked for once', async () => {
  answer = json(200, { schema: '"string"' });
  const registry = new SchemaRegistry({ url: `${url}/` });
  const both = await Promise.all([registry.writerSchema(3), registry.writerSchema(3)]);
  expect(both[0]).toEqual({ kind: 'schema', schema: '"string"' });
  expect(await registry.writerSchema(3)).toBe(both[0]);
  expect(asked).toEqual(['GET /schemas/ids/3']);
});

test.each([
  ['null for what there is not', { schemaType: null, references: null, metadata: null, ruleSet: null }],
  ['its type in lower case', { schemaType: 'avro' }],
  ['no references', { references: [] }],
])('an answer with %s is a schema', async (_what, more) => {
  answer = json(200, { schema: '"string"', ...more });
  expect(await new SchemaRegistry({ url }).writerSchema(3)).toEqual({ kind: 'schema', schema: '"string"' });
});

test('an id that the registry does not know is asked for again', async () => {
  answer = json(404, { error_code: 40403, message: 'Schema not found' });
  const registry = new SchemaRegistry({ url });
  expect(await registry.writerSchema(3)).toEqual({ kind: 'unknown-id' });
  answer = json(200, { schema: '"string"' });
  expect((await registry.writerSchema(3)).kind).toBe('schema');
});

test.each([
  ['a server error', json(500, { error_code: 50001, message: 'store' })],
  ['an overloaded registry', json(429, { error_code: 42900, message: 'slow down' })],
  ['refused credentials', json(401, { error_code: 40101, message: 'who?' })],
  ['a 404 of something that is no registry', { status: 404, body: '<html>not found</html>' }],
  ['a page instead of an answer', { status: 200, body: '<html>welcome</html>' }],
  ['an answer without a schema', json(200, {})],
  ['an error that is null', json(500, null)],
  ['a method that is not allowed', json(405, { error_code: 405, message: 'HTTP 405 Method Not Allowed' })],
  ['a content type that is not acceptable', json(406, { error_code: 406, message: 'HTTP 406 Not Acceptable' })],
  ['a bill that is not paid', json(402, { error_code: 40201, message: 'Payment required' })],
  ['a request that it does not understand', json(400, { error_code: 400, message: 'Bad request' })],
  ['a page of an application server', json(404, { status: 404, message: 'no such page' })],
  ['silence', 'never' as const],
  ['an answer that breaks off', 'cut short' as const],
  ['an answer that stops', 'half, then silence' as const],
])('%s is not an answer: unreachable', async (_what, given) => {
  answer = given;
  const isSilent = given === 'never' || given === 'half, then silence';
  const registry = new SchemaRegistry({ url, timeoutMs: isSilent ? 500 : 30_000 });
  expect(await registry.writerSchema(3)).toMatchObject({
    kind: 'unreachable',
    error: { code: 'DB_REGISTRY_UNAVAILABLE', retryable: true },
  });
  // Trying again is left to those who ask, who know for how long.
  expect(asked).toHaveLength(1);
});

test.each([
  ['is not Avro', json(200, { schemaType: 'JSON', schema: '{"type":"object"}' })],
  ['is of a kind unheard of', json(200, { schemaType: 'THRIFT', schema: 'struct A {}' })],
  ['is not sound', json(200, { schema: '{"type":"record","name":"A","fields":[{"name":"b","type":"C"}]}' })],
])('a schema that %s is unusable, not unreachable', async (_what, given) => {
  answer = given;
  const found = await new SchemaRegistry({ url }).writerSchema(3);
  expect(found).toEqual({ kind: 'unusable', detail: expect.stringContaining('schema 3') });
});

test('what a reader needs of a writer’s schema is kept: names, order and types', async () => {
  const field = (name: string, type: unknown, more = {}) => ({ name, type, ...more });
  const written = {
    type: 'record',
    name: 'Event',
    namespace: 'com.example',
    aliases: ['Older'],
    fields: [
      field('at', { type: 'long', logicalType: 'timestamp-millis' }, { default: 0 }),
      field('price', { type: 'bytes', logicalType: 'decimal', precision: 9, scale: 2 }, { aliases: ['cost'] }),
      field('state', { type: 'enum', name: 'State', symbols: ['NEW', 'OLD'], default: 'NEW' }, { default: 'OLD' }),
      field('before', ['null', 'Event'], { default: null, doc: 'the one before' }),
      field('digest', { type: 'fixed', name: 'other.Digest', size: 2 }),
      field('tags', { type: 'map', values: { type: 'array', items: ['null', 'State'] } }, { default: {} }),
    ],
  };
  answer = json(200, { schema: JSON.stringify(written) });
  const found = await new SchemaRegistry({ url }).writerSchema(3);
  const given = avsc.Type.forSchema(written as avsc.Schema);
  const kept = avsc.Type.forSchema(JSON.parse(found.kind === 'schema' ? found.schema : ''));
  expect(kept.fingerprint()).toEqual(given.fingerprint());

  const reader = avsc.Type.forSchema({
    type: 'record',
    name: 'Pinned',
    aliases: ['com.example.Event'],
    fields: [
      field('added', 'int', { default: 7 }),
      field('amount', 'bytes', { aliases: ['price'] }),
      field('at', 'double'),
    ],
  } as avsc.Schema);
  const value = { at: 5, price: Buffer.from([1]), state: 'NEW', before: null, digest: Buffer.alloc(2), tags: {} };
  const read = reader.fromBuffer(given.toBuffer(value), reader.createResolver(kept));
  expect({ ...read }).toEqual({ added: 7, amount: Buffer.from([1]), at: 5 });
});

test('a refused connection is unreachable, and says so', async () => {
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  const found = await new SchemaRegistry({ url: `http://127.0.0.1:${port}` }).writerSchema(3);
  expect(found.kind === 'unreachable' && found.error.message).toMatch(/ECONNREFUSED/);
  await new Promise<void>((resolve) => server.listen(0, resolve));
});

const RECORD = '{"type":"record","name":"A","fields":[]}';

test('a refused schema is distinguished from an unreachable registry', async () => {
  const registry = new SchemaRegistry({ url });
  answer = json(409, { error_code: 409, message: 'incompatible' });
  await expect(registry.register('s', RECORD)).rejects.toMatchObject({
    code: 'DB_REGISTRY_REFUSED',
    message: expect.stringContaining('(409): incompatible'),
  });
  answer = json(503, {});
  await expect(registry.register('s', RECORD)).rejects.toMatchObject({ code: 'DB_REGISTRY_UNAVAILABLE' });
});

test.each([
  ['that does not say how schemas must agree', json(200, {}), 'DB_REGISTRY_UNAVAILABLE', RECORD],
  ['that goes by another rule', json(200, { compatibilityLevel: 'NONE' }), 'DB_REGISTRY_REFUSED', RECORD],
  ['that is not asked, since the schema is no record', 'never' as const, 'DB_REGISTRY_REFUSED', '"string"'],
])('nothing is registered with a registry %s', async (_what, given, code, schema) => {
  answer = given;
  await expect(new SchemaRegistry({ url }).register('s', schema)).rejects.toMatchObject({ code });
  expect(asked.filter((one) => !one.startsWith('GET /config/s'))).toEqual([]);
});
