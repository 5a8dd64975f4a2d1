import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { SchemaRegistry } from './schema-registry.ts';

let server: Server;
let url: string;
let answer: { status: number; body: string } | 'never';
let asked: string[];

beforeEach(async () => {
  asked = [];
  server = createServer((request, response) => {
    asked.push(`${request.method} ${request.url}`);
    if (answer !== 'never') response.writeHead(answer.status).end(answer.body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});

afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

const json = (status: number, body: object) => ({ status, body: JSON.stringify(body) });

test('a schema is asked for once', async () => {
  answer = json(200, { schema: '"string"' });
  const registry = new SchemaRegistry({ url: `${url}/` });
  const both = await Promise.all([registry.writerSchema(3), registry.writerSchema(3)]);
  expect(both[0]).toEqual({ kind: 'schema', schema: '"string"' });
  expect(await registry.writerSchema(3)).toBe(both[0]);
  expect(asked).toEqual(['GET /schemas/ids/3']);
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
  ['silence', 'never' as const],
])('%s is not an answer: unreachable', async (_what, given) => {
  answer = given;
  const registry = new SchemaRegistry({ url, timeoutMs: given === 'never' ? 100 : 5_000 });
  expect(await registry.writerSchema(3)).toMatchObject({
    kind: 'unreachable',
    error: { code: 'DB_REGISTRY_UNAVAILABLE', retryable: true },
  });
});

test('a refused connection is unreachable, and says so', async () => {
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  const found = await new SchemaRegistry({ url: `http://127.0.0.1:${port}` }).writerSchema(3);
  expect(found.kind === 'unreachable' && found.error.message).toMatch(/ECONNREFUSED/);
  await new Promise<void>((resolve) => server.listen(0, resolve));
});

test('a schema that is refused is told from a registry that is not there', async () => {
  const registry = new SchemaRegistry({ url });
  answer = json(409, { error_code: 409, message: 'incompatible' });
  await expect(registry.register('s', '"string"')).rejects.toMatchObject({ code: 'DB_REGISTRY_REFUSED' });
  answer = json(503, {});
  await expect(registry.register('s', '"string"')).rejects.toMatchObject({ code: 'DB_REGISTRY_UNAVAILABLE' });
});
