import { createLogger } from '@databridge/kernel/log';
import { GuessLimits, MAX_FAILURES, MAX_FAILURES_PER_ADDRESS } from './guess-limits.ts';

const log = createLogger('test', 'silent');

test('an address that guesses is refused for ten minutes, others are not', () => {
  let nowMs = 0;
  const limits = new GuessLimits(log, () => nowMs);
  for (let n = 0; n < MAX_FAILURES_PER_ADDRESS; n++) {
    limits.refuseIfSpent('192.0.2.1');
    limits.count('192.0.2.1');
  }
  expect(() => limits.refuseIfSpent('192.0.2.1')).toThrow(/wait ten minutes/);
  expect(() => limits.refuseIfSpent('192.0.2.2')).not.toThrow();
  nowMs = 600_000;
  expect(() => limits.refuseIfSpent('192.0.2.1')).not.toThrow();
});

test('guesses from many addresses are limited in all, and an operator is alerted once', () => {
  const alerts: unknown[] = [];
  const alerting = Object.assign(createLogger('test', 'silent'), {
    error: (facts: unknown) => void alerts.push(facts),
  });
  const limits = new GuessLimits(alerting, () => 0);
  for (let n = 0; n < MAX_FAILURES; n++) limits.count(`2001:db8::${n.toString(16)}`);
  expect(() => limits.refuseIfSpent('192.0.2.1')).toThrow(/wait ten minutes/);
  expect(alerts).toHaveLength(1);
});
