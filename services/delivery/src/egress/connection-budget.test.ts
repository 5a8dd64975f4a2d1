import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { buildConnector, type Client } from 'undici';
import { ConnectionBudget, Line } from './connection-budget.ts';
import type { Connector } from './egress-guard.ts';

let server: Server;
const accepted: Socket[] = [];

beforeAll(async () => {
  server = createServer((socket) => accepted.push(socket));
  await once(server.listen(0, '127.0.0.1'), 'listening');
});
afterEach(() => {
  for (const socket of accepted.splice(0)) socket.destroy();
});
afterAll(() => server.close());

const connect = buildConnector({ timeout: 5_000 });
let dials = 0;
const dial: Connector = (target, callback) => {
  dials += 1;
  connect(target, callback);
};
beforeEach(() => {
  dials = 0;
});
/** A client as the budget sees it: how much work it has, and whether it is still open. */
const busy = { stats: { size: 1 }, destroyed: false } as unknown as Client;
const idle = { stats: { size: 0 }, destroyed: false } as unknown as Client;
const closed = { stats: { size: 0 }, destroyed: true } as unknown as Client;

function wish(
  budget: ConnectionBudget,
  client: Client,
  line = new Line(),
  port = portOf(server),
  customer = 'acme',
): Promise<Socket> {
  const target = { hostname: '127.0.0.1', protocol: 'http:', port: String(port) };
  return new Promise((resolve, reject) => {
    budget.limit(
      dial,
      () => client,
      line,
      customer,
    )(target, (error, socket) => (error ? reject(error) : resolve(socket)));
  });
}

const portOf = (at: Server) => (at.address() as AddressInfo).port;

const wishOf = (customer: string, budget: ConnectionBudget, client: Client) =>
  wish(budget, client, new Line(), portOf(server), customer);

test('never more than allowed: one more waits until one closes, in the order of the wishes', async () => {
  const budget = new ConnectionBudget(2);
  const [first] = await Promise.all([wish(budget, busy), wish(budget, busy)]);
  const order: string[] = [];
  const third = wish(budget, busy).then((socket) => {
    order.push('third');
    return socket;
  });
  const fourth = wish(budget, busy).then(() => order.push('fourth'));
  expect(budget.openCount).toBe(2);
  expect(dials).toBe(2);
  first?.destroy();
  (await third).destroy();
  await fourth;
  expect(order).toEqual(['third', 'fourth']);
  expect(budget.openCount).toBe(2);
});

test('an idle connection makes room, a busy one never', async () => {
  const budget = new ConnectionBudget(2);
  const [held, spare] = await Promise.all([wish(budget, busy), wish(budget, idle)]);
  await wish(budget, busy);
  expect(spare?.destroyed).toBe(true);
  expect(held?.destroyed).toBe(false);
});

test('a dial that fails makes room too', async () => {
  const nobody = createServer();
  await once(nobody.listen(0, '127.0.0.1'), 'listening');
  const port = portOf(nobody);
  nobody.close();
  await once(nobody, 'close');
  const budget = new ConnectionBudget(1);
  const [failed, waiting] = [wish(budget, busy, new Line(), port), wish(budget, busy)];
  await expect(failed).rejects.toThrow('ECONNREFUSED');
  await waiting;
  expect(budget.openCount).toBe(1);
});

test('who was closed while it waited for a connection takes no room', async () => {
  const budget = new ConnectionBudget(1);
  const held = await wish(budget, busy);
  const [gone, waiting] = [wish(budget, closed), wish(budget, busy)];
  held.destroy();
  await expect(gone).rejects.toThrow('closed while it waited for a connection');
  await waiting;
  expect(dials).toBe(2);
});

test('a line tells how long it stood: from the wish to the dial, not while it dials, nor for others', async () => {
  let nowMs = 1_000;
  const clock = jest.spyOn(performance, 'now').mockImplementation(() => nowMs);
  try {
    const budget = new ConnectionBudget(1);
    const [mine, theirs] = [new Line(), new Line()];
    const dialing = wish(budget, busy, theirs);
    nowMs += 7;
    const held = await dialing;
    const waiting = wish(budget, busy, mine);
    nowMs += 100;
    expect(mine.standstillMs).toBe(100);
    const second = wish(budget, busy, mine);
    nowMs += 20;
    held.destroy();
    const next = await waiting;
    nowMs += 5;
    next.destroy();
    await second;
    nowMs += 50;
    expect([mine.standstillMs, theirs.standstillMs]).toEqual([125, 0]);
  } finally {
    clock.mockRestore();
  }
});

describe('between customers', () => {
  test('the one with the fewest connections gets the next, however many wishes of another wait', async () => {
    const budget = new ConnectionBudget(2);
    const [first] = await Promise.all([wishOf('greedy', budget, busy), wishOf('greedy', budget, busy)]);
    const order: string[] = [];
    const note = (customer: string) => (socket: Socket) => {
      order.push(customer);
      return socket;
    };
    const greedy = [1, 2, 3].map(() => wishOf('greedy', budget, busy).then(note('greedy')));
    const modest = wishOf('modest', budget, busy).then(note('modest'));
    first?.destroy();
    const held = await modest;
    expect(order).toEqual(['modest']);
    held.destroy();
    (await greedy[0])?.destroy();
    (await greedy[1])?.destroy();
    await greedy[2];
  });

  test('the one with the most gives up an idle connection', async () => {
    const budget = new ConnectionBudget(4);
    const modest = await wishOf('modest', budget, idle);
    const greedy = [await wishOf('greedy', budget, idle), await wishOf('greedy', budget, idle)];
    await wishOf('greedy', budget, busy);
    await wishOf('late', budget, busy);
    expect([modest, ...greedy].map(({ destroyed }) => destroyed)).toEqual([false, true, false]);
  });
});

describe('whatever a dial does', () => {
  const target = { hostname: '127.0.0.1', protocol: 'http:', port: '1' };
  const ask = (budget: ConnectionBudget, connect: Connector) =>
    new Promise<Socket>((resolve, reject) => {
      const limited = budget.limit(connect, () => busy, new Line(), 'acme');
      limited(target, (error, socket) => (error ? reject(error) : resolve(socket)));
    });

  test('one that throws fails, from the queue too, and leaves its slot', async () => {
    const budget = new ConnectionBudget(1);
    const throwing: Connector = () => {
      throw Object.assign(new Error('ee key too small'), { code: 'ERR_SSL_EE_KEY_TOO_SMALL' });
    };
    for (let i = 0; i < 5; i++) await expect(ask(budget, throwing)).rejects.toThrow('ee key too small');
    const held = await wish(budget, busy);
    const queued = Array.from({ length: 5_000 }, () => ask(budget, throwing));
    const last = wish(budget, busy);
    held.destroy();
    for (const { reason } of (await Promise.allSettled(queued)) as PromiseRejectedResult[]) {
      expect(reason.code).toBe('ERR_SSL_EE_KEY_TOO_SMALL');
    }
    await last;
    expect(budget.openCount).toBe(1);
  });

  test('a callback that throws is reported to the worker, and stops no other customer', async () => {
    const faults: unknown[] = [];
    const budget = new ConnectionBudget(1, (fault) => faults.push(fault));
    const fault = new Error('an assertion');
    const told = new Promise<void>((resolve) => {
      budget.limit(
        dial,
        () => busy,
        new Line(),
      )({ ...target, port: String(portOf(server)) }, () => {
        resolve();
        throw fault;
      });
    });
    await told;
    await wish(budget, busy);
    expect(faults).toEqual([fault]);
  });

  test('a socket that was closed before it is handed over leaves its slot, and so does a second answer', async () => {
    const budget = new ConnectionBudget(1);
    const early: Connector = (options, callback) => {
      connect(options, (error, socket) => {
        if (error) return callback(error, null);
        socket.destroy();
        socket.once('close', () => {
          callback(null, socket);
          callback(new Error('again'), null);
        });
      });
    };
    for (let i = 0; i < 3; i++) {
      const limited = budget.limit(early, () => busy, new Line());
      await new Promise<void>((resolve) => limited({ ...target, port: String(portOf(server)) }, () => resolve()));
    }
    expect(budget.openCount).toBe(0);
  });
});
