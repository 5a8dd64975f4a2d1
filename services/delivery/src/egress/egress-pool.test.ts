import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Pool } from 'undici';
import { Line } from './connection-budget.ts';
import { EgressPool } from './egress-pool.ts';

let server: Server;
let origin: string;
let arrived: Promise<unknown>;

beforeEach(async () => {
  // Never answers.
  server = createServer();
  arrived = once(server, 'request');
  await once(server.listen(0, '127.0.0.1'), 'listening');
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterEach(() => {
  server.closeAllConnections();
  server.close();
});

/** A pool with one request in flight. */
async function busyPool() {
  const pool = new EgressPool(() => new Pool(origin), false, new Line());
  const answer = pool.request({ origin, method: 'GET', path: '/' }).then(
    () => 'answered',
    (error: Error) => error.name,
  );
  await arrived;
  return { pool, answer };
}

test('connections are opened by the first request, and none once the pool is closed', async () => {
  let opened = 0;
  const open = () => {
    opened++;
    return new Pool(origin);
  };
  const pool = new EgressPool(open, false, new Line());
  pool.renew(pool.generation);
  expect(opened).toBe(0);
  const cutOff = pool.request({ origin, method: 'GET', path: '/' }).catch((error: Error) => error.name);
  await arrived;
  expect(opened).toBe(1);
  await pool.destroy();
  expect(await cutOff).not.toBe('answered');

  const unused = new EgressPool(open, false, new Line());
  await unused.close();
  await expect(unused.request({ origin, method: 'GET', path: '/' })).rejects.toThrow('closed');
  expect(opened).toBe(1);
});

test('a pool that was destroyed can be closed: both resolve, and the request in flight fails', async () => {
  const { pool, answer } = await busyPool();
  const destroyed = pool.destroy();
  await expect(Promise.all([destroyed, pool.close(), pool.close()])).resolves.toBeDefined();
  expect(await answer).not.toBe('answered');
});

test('a pool that is closing can be destroyed: closing does not wait for the request any more, and rejects nowhere', async () => {
  const { pool, answer } = await busyPool();
  const closed = pool.close().then(
    () => 'closed',
    () => 'cut off',
  );
  await pool.destroy();
  await pool.close();
  expect(await answer).not.toBe('answered');
  expect(await closed).toMatch(/closed|cut off/);
});

test('a renewed pool that is destroyed cuts off the requests on its earlier connections, too', async () => {
  const { pool, answer } = await busyPool();
  pool.renew(pool.generation);
  await pool.destroy();
  await pool.close();
  expect(await answer).not.toBe('answered');
});
