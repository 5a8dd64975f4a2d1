/** Hostile tenant: its endpoint resets each connection as soon as it is accepted. */
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { rootCauseEvent } from '../harness/events.ts';
import { eventually } from '../harness/eventually.ts';
import { SteadyLoad } from '../harness/load/steady-load.ts';
import { Stage } from '../harness/stage.ts';
import { freshName } from '../harness/topics.ts';

const BACKLOG = 2_000;

test('a customer whose connections are reset takes nothing from a healthy one', async () => {
  // With the breaker out of the way: the connections are reset without end.
  const stage = await Stage.start({ delivery: { BREAKER_MIN_ATTEMPTS: '100000' } });
  let resets = 0;
  const server = createServer((socket) => {
    resets++;
    socket.on('error', () => undefined);
    socket.resetAndDestroy();
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/events`;
  const healthy = await SteadyLoad.start(stage);
  const hostile = freshName('resetting');
  const produce = async () => {
    const events = Array.from({ length: BACKLOG }, () => rootCauseEvent({ company: hostile }));
    await stage.upstream.produce(events);
  };

  const compared = await healthy.compare(
    async () => {
      await stage.subscribe(hostile, url);
      await produce();
      await eventually(
        async () => resets,
        (count) => count > 100,
      );
    },
    async () => (await stage.api()).act(hostile, 'pause'),
  );

  expect(compared).toEqual({ ...compared, isWithinBounds: true });
  expect(await stage.delivery.metrics()).toContain('databridge_delivery');
  expect(stage.delivery.otherOutput).toEqual([]);
  console.info(`${resets} resets: p99 ${compared.besideMs} ms, alone ${compared.aloneMs} ms`);
  server.close();
}, 300_000);
