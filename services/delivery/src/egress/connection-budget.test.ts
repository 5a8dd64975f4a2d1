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
/** What the budget asks of a client: how much it has to do, and whether it still is. */
const busy = { stats: { size: 1 }, destroyed: false } as unknown as Client;
const idle = { stats: { size: 0 }, destroyed: false } as unknown as Client;
const closed = { stats: { size: 0 }, destroyed: true } as unknown as Client;

function wish(budget: ConnectionBudget, client: Client, line = new Line(), port = portOf(server)): Promise<Socket> {
  const target = { hostname: '127.0.0.1', protocol: 'http:', port: String(port) };
  return new Promise((resolve, reject) => {
    budget.limit(dial, () => client, line)(target, (error, socket) => (error ? reject(error) : resolve(socket)));
  });
}

const portOf = (at: Server) => (at.address() as AddressInfo).port;

test('never more than allowed: who wishes for one more waits until one closes, in the order of the wishes', async () => {
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

test('who was closed while it stood in line takes no room', async () => {
  const budget = new ConnectionBudget(1);
  const held = await wish(budget, busy);
  const [gone, waiting] = [wish(budget, closed), wish(budget, busy)];
  held.destroy();
  await expect(gone).rejects.toThrow('closed while it stood in line');
  await waiting;
  expect(dials).toBe(2);
});

test('a line tells how long it stood: from the wish to the dial, not while it dials, nor for others', async () => {
  let nowMs = 1_000;
  const clock = import.meta.jest.spyOn(performance, 'now').mockImplementation(() => nowMs);
  try {
    const budget = new ConnectionBudget(1);
    const [mine, theirs] = [new Line(), new Line()];
    const dialling = wish(budget, busy, theirs);
    nowMs += 7;
    const held = await dialling;
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
