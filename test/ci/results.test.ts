import { type FileResult, filesOf, outcome, slowest, worthAnotherRun } from './results.ts';

const result = (file: string, ...failures: string[]): FileResult => ({ file, passed: 2, failures });
const MISSING = 'Error: The peer "moto" can’t be had: no route\n  at …';
const [FLOW, CONTRACT, PEER] = ['test/flow/a.test.ts', 'test/contract/b.test.ts', 'test/peers/c.test.ts'];
const FAULT = 'test/faults/d.fault.ts';
const LATE = 'Error: no event came through in time';

test('jest’s own results are read: a file of two projects is one, one that could not be loaded a failure', () => {
  const name = `${process.cwd()}/test/a.test.ts`;
  const passed = { status: 'passed', failureMessages: [] };
  const failed = { status: 'failed', failureMessages: ['expected 1', 'and 2'] };
  const testResults = [
    { name, status: 'passed', message: '', assertionResults: [passed] },
    { name, status: 'failed', message: 'all of it', assertionResults: [passed, failed] },
    { name: 'b.test.ts', status: 'failed', message: 'Cannot find module', assertionResults: [] },
  ];
  expect(filesOf(JSON.stringify({ testResults }))).toEqual([
    { file: 'test/a.test.ts', passed: 2, failures: ['expected 1\nand 2'] },
    { file: 'b.test.ts', passed: 0, failures: ['Cannot find module'] },
  ]);
});

test('the slowest tests of all runs come first; one that did not run took no time', () => {
  const json = (file: string, ...times: [string, number | null][]) =>
    JSON.stringify({
      testResults: [
        {
          name: `${process.cwd()}/${file}`,
          assertionResults: times.map(([fullName, duration]) => ({ fullName, duration, status: 'passed' })),
        },
      ],
    });
  expect(slowest([json('a.test.ts', ['one', 30], ['two', null]), json('b.test.ts', ['three', 2_000])], 2)).toEqual([
    { file: 'b.test.ts', name: 'three', ms: 2_000 },
    { file: 'a.test.ts', name: 'one', ms: 30 },
  ]);
});

test.each([
  ['a few that failed', 'jvm', [result(FLOW, 'x'), result('b'), result(CONTRACT, 'y')], [FLOW, CONTRACT]],
  ['not when many failed', 'jvm', [1, 2, 3, 4].map((nth) => result(`test/flow/${nth}.test.ts`, 'x')), []],
  ['not when a unit test failed', 'jvm', [result(FLOW, 'x'), result('services/kernel/src/a.test.ts', 'x')], []],
  ['not what had no peer', 'peers', [result(PEER, MISSING), result(CONTRACT, MISSING, 'x')], [CONTRACT]],
  ['a fault run that was late', 'faults', [result(FAULT, LATE, LATE)], [FAULT]],
  ['no fault run at all when one of them lost something', 'faults', [result(FAULT, LATE), result(FLOW, '1 lost')], []],
])('run once more: %s', (_what, run, files, again) => {
  expect(worthAnotherRun(run, files)).toEqual(again);
});

test('the second run replaces the first, which is reported', () => {
  expect(outcome([result('a', 'x'), result('b', 'y'), result('c')], [result('a'), result('b', 'y')])).toEqual({
    passed: 6,
    failed: 1,
    remarks: [expect.stringMatching(/^FLAKY: a /)],
  });
});

test('a file that had passed is not called flaky because it ran twice', () => {
  expect(outcome([result('a', 'x'), result('b')], [result('a'), result('b')]).remarks).toEqual([
    expect.stringMatching(/^FLAKY: a /),
  ]);
});

test('a test without its peer is reported, and is no failure', () => {
  expect(outcome([result('a', MISSING)], [])).toEqual({
    passed: 2,
    failed: 0,
    remarks: [expect.stringContaining('1 tests of a: The peer "moto"')],
  });
});
