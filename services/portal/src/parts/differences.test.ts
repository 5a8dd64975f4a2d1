import { differences, mergePatch } from './differences.ts';

const before = { url: 'https://a', rate: 5, tls: { ca: 'x', only: true }, list: [1, 2] };
const after = { url: 'https://b', tls: { ca: 'x' }, list: [2], added: null };

test('differences by JSON pointer; lists count as one value', () => {
  expect(differences(before, after)).toEqual([
    { pointer: '/added', from: undefined, to: 'null' },
    { pointer: '/list', from: '[1,2]', to: '[2]' },
    { pointer: '/rate', from: '5', to: undefined },
    { pointer: '/tls/only', from: 'true', to: undefined },
    { pointer: '/url', from: '"https://a"', to: '"https://b"' },
  ]);
  expect(differences(before, before)).toEqual([]);
});

test('a merge patch contains what changed, and null for what is gone', () => {
  expect(mergePatch(before, { ...after, added: 1 })).toEqual({
    ...{ url: 'https://b', rate: null, tls: { only: null }, list: [2], added: 1 },
  });
  expect(mergePatch(before, before)).toEqual({});
  expect(mergePatch({ a: { b: 1, c: 2 } }, { a: { c: 2, b: 1 } })).toEqual({});
});
