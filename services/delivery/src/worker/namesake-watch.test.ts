import { createLogger } from '@databridge/kernel/log';
import { ManualClock } from '@databridge/kernel/time/manual-clock';
import { NamesakeWatch } from './namesake-watch.ts';

function setUp() {
  const lines: Record<string, unknown>[] = [];
  const clock = new ManualClock();
  const log = createLogger('test', 'info', { write: (line) => void lines.push(JSON.parse(line)) });
  const group = { clientIds: ['delivery-a', 'delivery-b'] };
  const admin = {
    groupState: async () => {
      const members = group.clientIds.map((clientId, at) => ({ memberId: `m-${at}`, clientId, clientHost: `/h${at}` }));
      if (members.length === 0) throw new Error('no coordinator');
      return { state: 'Stable' as const, members };
    },
  };
  const names = { worker: 'a', clientId: 'delivery-a', groupId: 'delivery-workers' };
  const watch = new NamesakeWatch({ ...names, admin, sessionTimeoutMs: 10_000, clock, log });
  const checkAfter = async (ms: number) => {
    clock.advance(ms);
    await watch.check();
    return lines.map(({ msg }) => msg);
  };
  return { group, lines, checkAfter };
}

test('workers with names of their own are nothing to tell', async () => {
  const { checkAfter } = setUp();
  expect(await checkAfter(0)).toEqual([]);
  expect(await checkAfter(60_000)).toEqual([]);
});

test('another worker of the same name is reported when it has outlived a killed predecessor, and then once a minute', async () => {
  const { group, lines, checkAfter } = setUp();
  group.clientIds.push('delivery-a');
  expect(await checkAfter(0)).toEqual([]);
  expect(await checkAfter(9_000)).toEqual([]);
  expect(await checkAfter(1_000)).toEqual([expect.stringMatching(/same WORKER_NAME; give each a name of its own/)]);
  expect(lines[0]).toMatchObject({ worker: 'a', hosts: ['/h0', '/h2'] });
  expect(await checkAfter(10_000)).toHaveLength(1);
  expect(await checkAfter(50_000)).toHaveLength(2);
});

test('the member that a killed predecessor left behind is gone in time', async () => {
  const { group, checkAfter } = setUp();
  group.clientIds.push('delivery-a');
  await checkAfter(0);
  group.clientIds.pop();
  await checkAfter(9_000);
  group.clientIds.push('delivery-a');
  expect(await checkAfter(9_000)).toEqual([]);
});

test('a look-up that fails is a warning', async () => {
  const { group, checkAfter } = setUp();
  group.clientIds.length = 0;
  expect(await checkAfter(0)).toEqual(['check for another worker of this name failed']);
});
