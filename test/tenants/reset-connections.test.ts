/** Hostile tenant: its endpoint resets each connection as soon as it is accepted. */
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { rootCauseEvent } from '../harness/events.ts';
import { eventually } from '../harness/eventually.ts';
import { SteadyLoad } from '../harness/load/steady-load.ts';
import { METERED } from '../harness/load/turns.ts';
import { Stage } from '../harness/stage.ts';
import { freshName } from '../harness/topics.ts';

const BACKLOG = 2_000;

test('a customer whose connections are reset takes nothing from a healthy one', async () => {
  // With the breaker out of the way: the connections are reset without end.
  const stage = await Stage.start({ delivery: { ...METERED, BREAKER_MIN_ATTEMPTS: '100000' } });
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
  await stage.subscribe(hostile, url, { state: 'paused' });
  const compared = await healthy.compare(
    {
      async begin() {
        await stage.upstream.produce(Array.from({ length: BACKLOG }, () => rootCauseEvent({ company: hostile })));
        const before = resets;
        await (await stage.api()).act(hostile, 'resume');
        await eventually(
          async () => resets - before,
          (count) => count > 100,
        );
      },
      end: () => stage.pause([hostile]),
    },
    stage.delivery,
  );

  expect(compared).toEqual({ ...compared, isWithinBounds: true });
  expect(await stage.delivery.metrics()).toContain('databridge_delivery');
  expect(stage.delivery.otherOutput).toEqual([]);
  process.stderr.write(`  ${JSON.stringify(compared)}, ${resets} resets\n`);
  server.close();
}, 300_000);
