import { request } from 'node:http';
import { json, serveAdmin } from './admin-server.ts';
import { createLogger } from './log.ts';

async function* parts(): AsyncGenerator<string> {
  yield 'one\n';
  yield 'two\n';
}

async function serving() {
  const routes = {
    '/healthz': () => json(200, { status: 'ok' }),
    '/readyz': () => json(503, { status: 'starting' }),
    '/metrics': () => ({ status: 200, contentType: 'text/plain', body: parts() }),
  };
  return await serveAdmin({ host: '127.0.0.1', port: 0 }, routes, createLogger('test', 'silent'));
}

test('probes and scrapes are answered, whole or in parts, and anything else is not found', async () => {
  const admin = await serving();
  const ask = async (path: string, method = 'GET') => {
    const response = await fetch(`${admin.address}${path}`, { method });
    return [response.status, response.headers.get('content-type'), await response.text()];
  };
  const ofJson = 'application/json; charset=utf-8';
  expect(await ask('/healthz')).toEqual([200, ofJson, '{"status":"ok"}']);
  expect(await ask('/readyz?verbose')).toEqual([503, ofJson, '{"status":"starting"}']);
  expect(await ask('/metrics')).toEqual([200, 'text/plain', 'one\ntwo\n']);
  expect(await ask('/metrics', 'HEAD')).toEqual([200, 'text/plain', '']);
  expect((await ask('/else'))[0]).toBe(404);
  expect((await ask('/healthz', 'POST'))[0]).toBe(404);
  await admin.close();
});

test('a caller that goes away in the middle of an answer ends nothing', async () => {
  const admin = await serving();
  const gone = Promise.withResolvers<void>();
  const call = request(`${admin.address}/metrics`, (response) => response.destroy())
    .on('close', gone.resolve)
    .end();
  call.on('error', () => undefined);
  await gone.promise;
  expect((await fetch(`${admin.address}/healthz`)).status).toBe(200);
  await admin.close();
});

test('a path whose answer cannot be made answers 500, and the others go on', async () => {
  const fail = () => {
    throw new Error('no state');
  };
  const routes = { '/readyz': fail, '/healthz': () => json(200, {}) };
  const admin = await serveAdmin({ host: '127.0.0.1', port: 0 }, routes, createLogger('test', 'silent'));
  expect((await fetch(`${admin.address}/readyz`)).status).toBe(500);
  expect((await fetch(`${admin.address}/healthz`)).status).toBe(200);
  await admin.close();
});

test('a port that is taken is an error', async () => {
  const admin = await serving();
  const taken = serveAdmin({ host: '127.0.0.1', port: admin.port }, {}, createLogger('test', 'silent'));
  await expect(taken).rejects.toThrow('EADDRINUSE');
  await admin.close();
});
