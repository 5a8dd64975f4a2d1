import { isOlder, javaRelease, mavenVersion } from './java.ts';

test.each([
  ['openjdk version "17.0.15" 2025-04-15', 17],
  ['openjdk version "21" 2023-09-19', 21],
  ['java version "1.8.0_402"', 8],
  ['openjdk version "25-ea" 2025-09-16', 25],
  ['bash: java: not found', undefined],
])('%s is Java %s', (output, release) => {
  expect(javaRelease(output)).toBe(release);
});

test("Maven's version is found within terminal colors", () => {
  expect(mavenVersion('\u001b[1mApache Maven 3.8.7\u001b[m\nMaven home: /usr/share/maven')).toEqual([3, 8, 7]);
  expect(mavenVersion('Apache Maven 4.0.0-rc-3 (3952d00)')).toEqual([4, 0, 0]);
  expect(mavenVersion('no such command')).toBeUndefined();
});

test('versions are compared by their numbers, not as text', () => {
  expect(isOlder([3, 6, 2], [3, 6, 3])).toBe(true);
  expect(isOlder([3, 10, 0], [3, 6, 3])).toBe(false);
  expect(isOlder([3, 6, 3], [3, 6, 3])).toBe(false);
  expect(isOlder([4, 0, 0], [3, 6, 3])).toBe(false);
});
