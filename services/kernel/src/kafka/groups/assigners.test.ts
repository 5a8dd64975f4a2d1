import fc from 'fast-check';
import type { TopicPartition } from '../records.ts';
import { keyOf } from '../records.ts';
import { type GroupMember, oneMemberAssigner, stickyAssigner } from './assigners.ts';

const TOPIC = 'shared';
const partitionsOf = (count: number, topic = TOPIC) =>
  Array.from({ length: count }, (_, partition) => ({ topic, partition }));

function member(memberId: string, owned: readonly TopicPartition[] = [], topics = [TOPIC]): GroupMember {
  return { memberId, topics, owned };
}

/** Members with claims as they may come: overlapping, of partitions that no longer are, uneven. */
const groups = fc
  .record({ partitions: fc.integer({ min: 0, max: 70 }), members: fc.integer({ min: 1, max: 9 }) })
  .chain(({ partitions, members }) =>
    fc.record({
      partitions: fc.constant(partitionsOf(partitions)),
      members: fc.tuple(
        ...Array.from({ length: members }, (_, n) =>
          fc.uniqueArray(fc.integer({ min: 0, max: 80 }), { maxLength: 80 }).map((owned) =>
            member(
              `m${n}`,
              owned.map((partition) => ({ topic: TOPIC, partition })),
            ),
          ),
        ),
      ),
    }),
  );

describe('sticky', () => {
  test('every partition has one owner, and shares differ by one at most', () => {
    fc.assert(
      fc.property(groups, ({ members, partitions }) => {
        const assignment = stickyAssigner.assign(members, partitions);
        const assigned = [...assignment.values()].flat().map(keyOf);
        expect(assigned.sort()).toEqual(partitions.map(keyOf).sort());
        const shares = [...assignment.values()].map((own) => own.length);
        expect(assignment.size).toBe(members.length);
        expect(Math.max(...shares) - Math.min(...shares)).toBeLessThanOrEqual(1);
      }),
    );
  });

  test('nothing moves when nothing changed', () => {
    fc.assert(
      fc.property(groups, ({ members, partitions }) => {
        const first = stickyAssigner.assign(members, partitions);
        const again = members.map(({ memberId }) => member(memberId, first.get(memberId)));
        expect(ownersOf(stickyAssigner.assign(again, partitions))).toEqual(ownersOf(first));
      }),
    );
  });

  test('when members come and go, only what must move moves', () => {
    fc.assert(
      fc.property(groups, fc.integer({ min: 0, max: 8 }), fc.integer({ min: 0, max: 4 }), (group, gone, come) => {
        const { members, partitions } = group;
        const before = stickyAssigner.assign(members, partitions);
        const stay = members.slice(Math.min(gone, members.length - 1));
        const after = [
          ...stay.map(({ memberId }) => member(memberId, before.get(memberId))),
          ...Array.from({ length: come }, (_, n) => member(`new${n}`)),
        ];
        const owners = ownersOf(stickyAssigner.assign(after, partitions));
        const kept = partitions.filter((p) => owners[keyOf(p)] === ownersOf(before)[keyOf(p)]).length;
        // Each may keep up to its share; how many may keep one more is what the partitions left over allow.
        const share = Math.floor(partitions.length / after.length);
        let larger = partitions.length % after.length;
        let possible = 0;
        for (const { memberId } of stay) {
          const owned = before.get(memberId)?.length ?? 0;
          possible += Math.min(owned, owned > share && larger-- > 0 ? share + 1 : share);
        }
        expect(kept).toBe(possible);
      }),
    );
  });

  test('a member gets nothing of a topic that it does not read', () => {
    const partitions = [...partitionsOf(4, 'a'), ...partitionsOf(4, 'b')];
    const assignment = stickyAssigner.assign([member('m0', [], ['a', 'b']), member('m1', [], ['a'])], partitions);
    expect(assignment.get('m1')?.every(({ topic }) => topic === 'a')).toBe(true);
    expect([...assignment.values()].flat()).toHaveLength(8);
  });
});

describe('one member', () => {
  const lanes = [...partitionsOf(1, 'main'), ...partitionsOf(1, 'retry')];
  const topics = ['main', 'retry'];

  test('the present owner keeps everything when members join', () => {
    const assignment = oneMemberAssigner.assign([member('a', [], topics), member('z', lanes, topics)], lanes);
    expect(assignment.get('z')).toEqual(lanes);
    expect(assignment.get('a')).toEqual([]);
  });

  test('without an owner, all leaders choose the same', () => {
    const members = [member('b', [], topics), member('a', [], topics)];
    expect(oneMemberAssigner.assign(members, lanes).get('a')).toEqual(lanes);
    expect(oneMemberAssigner.assign([...members].reverse(), lanes).get('a')).toEqual(lanes);
  });
});

function ownersOf(assignment: ReadonlyMap<string, readonly TopicPartition[]>): Record<string, string> {
  return Object.fromEntries([...assignment].flatMap(([memberId, own]) => own.map((p) => [keyOf(p), memberId])));
}
