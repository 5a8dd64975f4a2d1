import { Tokens } from './tokens.ts';

test('a token is known by its line, and by nothing else', () => {
  const [operator, acme] = [Tokens.generate('ann', 'operator'), Tokens.generate('acme-ci', 'customer', 'acme')];
  const tokens = new Tokens(`# people\n${operator.line}\n${acme.line}\n`);
  expect(tokens.callerOf(operator.token)).toMatchObject({ name: 'ann', role: 'operator' });
  expect(tokens.callerOf(acme.token)).toMatchObject({ name: 'acme-ci', role: 'customer', customer: 'acme' });
  expect(tokens.callerOf(`${operator.token}x`)).toBeUndefined();
  expect(tokens.callerOf(operator.line.split(' ')[2] as string)).toBeUndefined();
  expect(tokens.callerOf('')).toBeUndefined();
  expect(operator.line).not.toContain(operator.token);
});

test.each([
  ['a token instead of its hash', `ann operator ${Tokens.generate('x', 'reader').token}`],
  ['an unknown role', `ann king ${'0'.repeat(64)}`],
  ['a customer without a name', `ann customer ${'0'.repeat(64)}`],
  ['an operator of one customer', `ann operator:acme ${'0'.repeat(64)}`],
])('refused without being quoted: %s', (_what, line) => {
  expect(() => new Tokens(line)).toThrow(/^Token 1 is not/);
});
