import { sumOf } from './observe.ts';

const METRICS = `# HELP attempts_total Attempts
# TYPE attempts_total counter
attempts_total{customer="acme",outcome="delivered",component="delivery"} 12
attempts_total{customer="acme",outcome="retry",component="delivery"} 3
attempts_total{customer="globex",outcome="delivered",component="delivery"} 5
attempts_total_other{customer="acme"} 100
resident_bytes 1.5e+6
`;

test.each([
  ['attempts_total', {}, 20],
  ['attempts_total', { customer: 'acme' }, 15],
  ['attempts_total', { customer: 'acme', outcome: 'delivered' }, 12],
  ['attempts_total', { customer: 'initech' }, 0],
  ['resident_bytes', {}, 1_500_000],
])('%s with %j sums up to %d', (name, labels, sum) => {
  expect(sumOf(METRICS, name, labels)).toBe(sum);
});
