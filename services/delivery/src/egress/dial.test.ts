import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { DialError, dialAddresses } from './dial.ts';

const servers: Server[] = [];
const sockets: Socket[] = [];
afterEach(() => {
  // Also those of a test that failed: an open one keeps the process running.
  for (const socket of sockets.splice(0)) socket.destroy();
  for (const server of servers.splice(0)) server.close();
});

/** Listens on that address of loopback. @returns its port */
async function listen(address: string, port = 0): Promise<number> {
  const server = createServer((socket) => socket.destroy());
  servers.push(server);
  await once(server.listen(port, address), 'listening');
  return (server.address() as AddressInfo).port;
}

/** Not 127.0.0.1: other programs may listen there, on the very port. */
const loopback = (...hosts: number[]) => hosts.map((host) => ({ address: `127.77.0.${host}`, family: 4 }));

function dialed(addresses: { address: string; family: number }[], port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    dialAddresses(addresses, port, 5_000, (error, socket) => {
      if (error || !socket) return reject(error);
      sockets.push(socket);
      resolve(socket);
    });
  });
}

test('the next address is tried as soon as one fails', async () => {
  const port = await listen('127.77.0.3');
  const socket = await dialed(loopback(1, 2, 3), port);
  expect(socket.remoteAddress).toBe('127.77.0.3');
});

test('with none that accepts, the error names each for operators, and no address in its message', async () => {
  const port = await listen('127.77.0.9');
  const error: DialError = await dialed(loopback(1, 2), port).then(
    () => Promise.reject(new Error('connected')),
    (thrown) => thrown,
  );
  expect(error).toBeInstanceOf(DialError);
  expect(error.attempts).toEqual([
    { address: '127.77.0.1', code: 'ECONNREFUSED', afterMs: expect.any(Number) },
    { address: '127.77.0.2', code: 'ECONNREFUSED', afterMs: expect.any(Number) },
  ]);
  expect(`${error.code}: ${error.message}`).toBe(
    'ECONNREFUSED: none of 2 addresses accepted a connection: 2 × connection refused',
  );
});

test('different failures are counted by their kind', () => {
  const attempts = [
    { address: '10.0.0.1', code: 'ETIMEDOUT', afterMs: 5_000 },
    { address: '10.0.0.2', code: 'ECONNREFUSED', afterMs: 1 },
    { address: '10.0.0.3', code: 'EHOSTUNREACH', afterMs: 1 },
  ];
  const { code, message } = new DialError(attempts, 5_000);
  expect(code).toBe('ECONNFAILED');
  expect(message).toBe(
    'none of 3 addresses accepted a connection: 1 × no answer within 5000 ms, 1 × connection refused, 1 × no route (EHOSTUNREACH)',
  );
  expect(message).not.toContain('10.0.0');
});

test('what is no port fails like an address, and not within the call', async () => {
  await expect(dialed(loopback(1, 2), 70_000)).rejects.toMatchObject({ code: 'ERR_SOCKET_BAD_PORT' });
});

test('a canceled dial calls nobody back, and says what it tried', async () => {
  const port = await listen('127.77.0.1');
  let calls = 0;
  const dialing = dialAddresses(loopback(1), port, 5_000, () => calls++);
  expect(dialing.cancel()).toEqual([{ address: '127.77.0.1', code: 'ETIMEDOUT', afterMs: expect.any(Number) }]);
  const other = await dialed(loopback(1), port);
  expect(other.remotePort).toBe(port);
  expect(calls).toBe(0);
});
