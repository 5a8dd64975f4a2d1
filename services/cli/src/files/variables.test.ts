import { fillIn } from './variables.ts';

const env = { KEY: 'k-1', HOST: 'api.acme.example', NESTED: '${KEY}', EMPTY: '', DOLLARS: '$&$1' };

test.each([
  ['${KEY}', 'k-1'],
  ['Bearer ${KEY}', 'Bearer k-1'],
  ['https://${HOST}/v1/${KEY}?a=$b', 'https://api.acme.example/v1/k-1?a=$b'],
  ['${KEY}${KEY}', 'k-1k-1'],
  ['a $${KEY} stays', 'a ${KEY} stays'],
  ['$$${KEY}', '$${KEY}'],
  ['${NESTED}', '${KEY}'],
  ['${DOLLARS}', '$&$1'],
  ['costs $5 {KEY}', 'costs $5 {KEY}'],
])('%s becomes %s', (text, filled) => {
  expect(fillIn(text, env)).toEqual({ text: filled, mistakes: [] });
});

test.each([
  ['Bearer ${NOBODY}', ['the variable NOBODY is not set: export NOBODY=…']],
  ['${EMPTY}', ['the variable EMPTY is not set: export EMPTY=…']],
  ['${A}-${B}', ['the variable A is not set: export A=…', 'the variable B is not set: export B=…']],
  ['${A-B}', ['"${A-B}" names no variable: write ${NAME}, or $${ for the text ${ itself']],
  ['${}', ['"${}" names no variable: write ${NAME}, or $${ for the text ${ itself']],
  ['${KEY', ['"${KEY" names no variable: write ${NAME}, or $${ for the text ${ itself']],
])('%s is a mistake', (text, mistakes) => {
  expect(fillIn(text, env).mistakes).toEqual(mistakes);
});
