import { z } from 'zod';
import { readConfig } from './config.ts';
import { disagreements, sharedVariables, statedSettings, withRetryPlan } from './shared-settings.ts';

const read = (env: Record<string, string>) =>
  statedSettings(readConfig(z.object(sharedVariables).transform(withRetryPlan), env));

test('what is written in another way is the same setting', () => {
  const ours = read({ RETRY_PLAN: '10s*3,1m*3', RETRY_WINDOW: '24h', EGRESS_ALLOW_CIDRS: '10.1.0.0/16,10.2.0.0/16' });
  const theirs = read({
    ...{ RETRY_PLAN: ' 10s*3, 1m*3', RETRY_WINDOW: '1d', EGRESS_ALLOW_CIDRS: '10.2.0.0/16, 10.1.0.0/16' },
    EGRESS_ALLOW_HTTP: 'false',
  });
  expect(disagreements(ours, theirs)).toEqual([]);
});

test('each setting that differs is named with both values', () => {
  const ours = read({ EGRESS_ALLOW_HTTP: 'true', EGRESS_DENY_CIDRS: '10.1.0.0/16' });
  const theirs = read({ RETRY_PLAN: '10s*3', RETRY_WINDOW: '1h' });
  expect(disagreements(ours, theirs)).toEqual([
    { setting: 'RETRY_PLAN', ours: '10s*3,1m*3,5m*3,7m45s*175', theirs: '10s*3' },
    { setting: 'RETRY_WINDOW', ours: '86400s', theirs: '3600s' },
    { setting: 'EGRESS_DENY_CIDRS', ours: '10.1.0.0/16', theirs: '' },
    { setting: 'EGRESS_ALLOW_HTTP', ours: 'true', theirs: 'false' },
  ]);
  // A worker of another version may not state all.
  expect(disagreements(ours, {})).toEqual([]);
});

test('a plan whose waits do not fit the window is refused by each service', () => {
  expect(() => read({ RETRY_PLAN: '7m45s*175', RETRY_WINDOW: '1h' })).toThrow(
    /RETRY_PLAN.*the waits add up to 81375000 ms, more than the window of 3600000 ms/,
  );
});
