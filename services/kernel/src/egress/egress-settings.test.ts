import { z } from 'zod';
import { readConfig } from '../settings/config.ts';
import { egressPolicy, egressVariables, LOOPBACK_EGRESS } from './egress-settings.ts';

const read = (env: Record<string, string>) => readConfig(z.object(egressVariables), env);

test('nothing private is open unless asked for, and https only', () => {
  expect(read({})).toEqual({ EGRESS_ALLOW_CIDRS: [], EGRESS_DENY_CIDRS: [], EGRESS_ALLOW_HTTP: false });
});

test('lists are separated by commas; an address means itself', () => {
  const { EGRESS_ALLOW_CIDRS } = read({ EGRESS_ALLOW_CIDRS: '10.1.0.0/16, fd12:3456::/32,192.168.7.7,' });
  expect(EGRESS_ALLOW_CIDRS).toEqual(['10.1.0.0/16', 'fd12:3456::/32', '192.168.7.7']);
});

test.each([
  'localhost',
  '10.0.0.0/33',
  '10.0.0.0/-1',
  '10.0.0.0/',
  '10.1.2.3/16',
  'fd00::/129',
  'fd00::1/8',
  '::ffff:10.0.0.0/8',
  'fe80::1%eth0',
  '10.0.0.0/8/8',
  '10.0/8',
  '0x0a.0.0.0/8',
  '*',
])('%s is not a range', (text) => {
  expect(() => read({ EGRESS_ALLOW_CIDRS: `10.0.0.0/8,${text}` })).toThrow(
    `EGRESS_ALLOW_CIDRS: "${text}" is not a range`,
  );
});

test.each(['0.0.0.0/0', '::/0', '10.1.2.3/32', 'fd00::/8', '::1', '::ffff:0:0/96'])('%s is one', (text) => {
  expect(read({ EGRESS_DENY_CIDRS: text }).EGRESS_DENY_CIDRS).toEqual([text]);
});

test('the settings for one machine open loopback, and no more', () => {
  const policy = egressPolicy(read({ ...LOOPBACK_EGRESS }));
  expect(policy.urlRefusal(new URL('http://127.0.0.1:8080/'))).toBeUndefined();
  expect(policy.urlRefusal(new URL('http://[::1]:8080/'))).toBeUndefined();
  expect(policy.urlRefusal(new URL('https://10.0.0.1/'))).toBeDefined();
  expect(policy.urlRefusal(new URL('https://169.254.169.254/'))).toBeDefined();
});
