import { TablePartition } from './table-partition.ts';

function read(partition: TablePartition<string>, records: [key: string, value: string | null][], from = 0): string[] {
  const changes = records.flatMap(([key, value], n) => {
    const change = partition.apply(key, from + n, value);
    return change ? [`${key}=${change.value}`] : [];
  });
  partition.advance(from + records.length);
  return changes;
}

test('caught up once the high watermark at the join is reached, not before', () => {
  const partition = new TablePartition<string>();
  read(partition, [['a', '1']]);
  partition.sweep();
  expect(partition.isCaughtUp).toBe(false); // nobody knows the watermark yet
  partition.setTarget(0, 2);
  partition.sweep();
  expect(partition.isCaughtUp).toBe(false);
  read(partition, [['b', '2']], 1);
  partition.sweep();
  expect(partition.isCaughtUp).toBe(true);
});

test('an empty partition is caught up at once; one that ends in a hole, once nothing more comes', () => {
  const empty = new TablePartition<string>();
  empty.setTarget(7, 7);
  empty.sweep();
  expect(empty.isCaughtUp).toBe(true);

  const hole = new TablePartition<string>();
  hole.setTarget(0, 9);
  read(hole, [['a', '1']]);
  hole.sweep();
  expect(hole.isCaughtUp).toBe(false);
  hole.markDrained();
  hole.sweep();
  expect(hole.isCaughtUp).toBe(true);
});

test('read again, older values are not reported again, and newer ones are', () => {
  const partition = new TablePartition<string>();
  const log: [string, string | null][] = [
    ['a', '1'],
    ['b', '1'],
    ['a', '2'],
    ['b', null],
  ];
  expect(read(partition, log)).toEqual(['a=1', 'b=1', 'a=2', 'b=undefined']);
  partition.readAgain();
  expect(read(partition, log)).toEqual([]);
  expect([...partition.entries()]).toEqual([['a', '2']]);
  expect(read(partition, [['a', '3']], 4)).toEqual(['a=3']);
});

test('what has gone from the log meanwhile goes from the table when it is read again', () => {
  const partition = new TablePartition<string>();
  read(partition, [
    ['a', '1'],
    ['b', '1'],
    ['c', '1'],
  ]);
  partition.readAgain();
  partition.setTarget(0, 5);
  // `b` was deleted, and its tombstone has been compacted away too.
  read(partition, [['a', '1']]);
  read(partition, [['c', '2']], 4);
  expect(partition.sweep()).toEqual(['b']);
  expect(partition.sweep()).toEqual([]);
  expect([...partition.entries()]).toEqual([
    ['a', '1'],
    ['c', '2'],
  ]);
});

test('a rejected record leaves its key as it is', () => {
  const partition = new TablePartition<string>();
  read(partition, [['a', '1']]);
  expect(partition.apply('a', 1, undefined)).toBeUndefined();
  partition.readAgain();
  partition.apply('a', 1, undefined);
  partition.setTarget(0, 2);
  partition.advance(2);
  expect(partition.sweep()).toEqual([]);
  expect(partition.get('a')).toBe('1');
});
