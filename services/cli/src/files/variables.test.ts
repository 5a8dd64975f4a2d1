import { fillIn } from './variables.ts';

const env = { KEY: 'k-1', key: 'k-2', HOST: 'api.acme.example', NESTED: '${KEY}', EMPTY: '', DOLLARS: '$&$1' };

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
  ['pa$KEY', 'pa$KEY'],
  ['$KEY$KEY', '$KEY$KEY'],
  ['$NOBODY', '$NOBODY'],
  ['%KEY%', '%KEY%'],
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
  ['$KEY', ['$KEY is not filled in: write ${KEY} for the value of the variable KEY']],
  ['Bearer $key', ['$key is not filled in: write ${key} for the value of the variable key']],
])('%s is a mistake', (text, mistakes) => {
  expect(fillIn(text, env).mistakes).toEqual(mistakes);
});

test.each(['$NOBODY', '$(cat key)', '$env:KEY', '%KEY%', '{{ key }}', '{{KEY}}', '<your-password>', ' <key> '])(
  'in the place of a secret, %s is a placeholder',
  (text) => {
    const placeholder = 'is a placeholder, not a secret: write ${NAME}, and export the secret as that variable';
    expect(fillIn(text, env, true).mistakes).toEqual([placeholder]);
    expect(fillIn('${SECRET}', { SECRET: text }, true)).toEqual({ text, mistakes: [] });
  },
);

test.each(['$ecret', '$1', 'a%b%c', '<', '<>', '{{', 'p<a>', '$${KEY} $', '$a b', '100%'])(
  'in the place of a secret, %s is one',
  (text) => {
    expect(fillIn(text, env, true).mistakes).toEqual([]);
  },
);
