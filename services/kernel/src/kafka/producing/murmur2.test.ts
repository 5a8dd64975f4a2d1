import { murmur2, partitionOfKey } from './murmur2.ts';

// From Apache Kafka's own UtilsTest.testMurmur2.
test.each([
  ['21', -973932308],
  ['foobar', -790332482],
  ['a-little-bit-long-string', -985981536],
  ['a-little-bit-longer-string', -1486304829],
  ['lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8', -58897971],
  ['abc', 479470107],
])('murmur2(%s) is that of the Java client', (key, hash) => {
  expect(murmur2(Buffer.from(key))).toBe(hash);
});

test('a negative hash still makes a valid partition', () => {
  expect(partitionOfKey(Buffer.from('foobar'), 7)).toBe((-790332482 & 0x7fffffff) % 7);
});
