import { createLogger } from '../../../log.ts';
import { ManualClock } from '../../../time/manual-clock.ts';
import { Handover, PresentMembers } from './present-member.ts';

const WITHIN_MS = 30_000;

function handover() {
  const clock = new ManualClock();
  const lines: { readonly event: string; readonly waitedMs: number }[] = [];
  const log = createLogger('test', 'warn', { write: (line) => void lines.push(JSON.parse(line)) });
  const events = () => lines.map(({ event, waitedMs }) => [event, waitedMs]);
  return { clock, events, waiting: new Handover('delivery.acme', log, clock, WITHIN_MS) };
}

test('a live worker may finish within its time limit, and each wait has the whole limit', () => {
  const { clock, events, waiting } = handover();
  const working = { kind: 'working', who: 'worker-1' } as const;
  expect(waiting.checkWait(working)).toBe(true);
  clock.advance(WITHIN_MS);
  expect(waiting.checkWait(working)).toBe(true);
  expect(waiting.checkWait({ kind: 'nobody' })).toBe(false);

  expect(waiting.checkWait(working)).toBe(true);
  clock.advance(WITHIN_MS);
  expect(waiting.checkWait(working)).toBe(true);
  expect(events()).toEqual([]);
  clock.advance(1);
  expect(waiting.checkWait(working)).toBe(false);
  expect(events()).toEqual([['handover_late', WITHIN_MS + 1]]);
});

test('a member of another kind is never pushed out, and is named every ten seconds', () => {
  const { clock, events, waiting } = handover();
  for (let second = 0; second <= 60 * 60; second++) {
    expect(waiting.checkWait({ kind: 'foreign', who: 'a tool' })).toBe(true);
    clock.advance(1_000);
  }
  expect(events().slice(0, 3)).toEqual([0, 11_000, 22_000].map((waitedMs) => ['group_foreign_member', waitedMs]));
  expect(events()).toHaveLength(328);
});

test('customers that start together share the answer of who lives for a moment, measured by the clock', async () => {
  const clock = new ManualClock();
  const asked: string[] = [];
  const member = (memberId: string, worker?: string) => {
    return { memberId, clientId: memberId, claim: worker === undefined ? undefined : { worker } };
  };
  const groups: Record<string, ReturnType<typeof member>> = {
    'delivery.acme': member('acme-1', 'w-1'),
    'delivery.globex': member('globex-1', 'w-2'),
    workers: member('w-1'),
  };
  const describe = async (groupId: string) => {
    asked.push(groupId);
    return { errorCode: 0, groupId, state: 'Stable', members: [groups[groupId] ?? member('none')] };
  };
  const presentMembers = new PresentMembers({ describe }, 'workers', clock);
  expect(await presentMembers.of('delivery.acme', 'w-3')).toEqual({ kind: 'working', who: 'acme-1' });
  expect(await presentMembers.of('delivery.globex', 'w-3')).toEqual({ kind: 'gone' });
  expect(asked).toEqual(['delivery.acme', 'workers', 'delivery.globex']);

  groups['workers'] = member('w-2');
  clock.advance(251);
  expect(await presentMembers.of('delivery.acme', 'w-3')).toEqual({ kind: 'gone' });
  expect(await presentMembers.of('delivery.globex', 'w-3')).toEqual({ kind: 'working', who: 'globex-1' });
  expect(asked.filter((group) => group === 'workers')).toHaveLength(2);
});
