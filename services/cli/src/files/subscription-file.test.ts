import { anyText } from '@databridge/schemas/event/text-fixture';
import { contentCheck } from '@databridge/schemas/subscription/subscription';
import fc from 'fast-check';
import { formatMistakes, parseSubscriptionFile } from './subscription-file.ts';

const parse = (text: string, env: Record<string, string>) => parseSubscriptionFile(text, env, contentCheck);

const VALID = `subscriptions:
  - customer: acme
    eventTypes: [root-cause]
    match: { company: everything, folder: [Support] }
    destination:
      type: http
      url: https://api.acme.example/events
    authentication:
      type: api-key
      name: x-api-key
      key: \${ACME_KEY}
  - customer: globex
    eventTypes: [root-cause]
    match: everything
    state: paused
    destination:
      type: http
      url: https://globex.example/hook
`;

function mistakesOf(text: string, env: Record<string, string> = { ACME_KEY: 'k-1' }): string[] {
  const parsed = parse(text, env);
  return formatMistakes('f', parsed.mistakes)
    .split('\n')
    .filter((line) => line !== '');
}

describe('a subscriptions file', () => {
  test('is read with defaults, its secrets from the environment', () => {
    const parsed = parse(VALID, { ACME_KEY: 'k-1' });
    expect(parsed.mistakes).toEqual([]);
    const [acme, globex] = parsed.subscriptions;
    expect(acme?.subscription).toMatchObject({ customer: 'acme', authentication: { key: 'k-1' }, maxInFlight: 64 });
    expect(acme?.sets).toEqual([]);
    expect(globex?.sets).toEqual(['state']);
  });

  test('mistakes that the API finds later are reported at their place, too', () => {
    const [, globex] = parse(VALID, { ACME_KEY: 'k-1' }).subscriptions;
    const mistake = globex?.mistakeAt(['destination', 'url'], 'is closed');
    expect(mistake).toEqual({ line: 18, column: 12, message: 'destination.url is closed (customer "globex")' });
  });

  test('variables stand anywhere in a text', () => {
    const text = VALID.replace('${ACME_KEY}', `'Bearer ${'${ACME_KEY}'}'`).replace(
      'https://globex.example/hook',
      'https://${HOST}/hook',
    );
    const [acme, globex] = parse(text, { ACME_KEY: 'k-1', HOST: 'globex.example' }).subscriptions;
    expect(acme?.subscription.authentication).toMatchObject({ key: 'Bearer k-1' });
    expect(globex?.subscription.destination).toMatchObject({ url: 'https://globex.example/hook' });
  });

  test('anchors, aliases and merge keys are those of YAML', () => {
    const text = VALID.replace('- customer: acme', '- &first\n    customer: acme').concat(
      '  - <<: *first\n    customer: initech\n    destination: { type: http, url: "initech.example" }\n',
    );
    const { subscriptions, mistakes } = parse(text, { ACME_KEY: 'k-1' });
    expect(mistakes).toEqual([{ line: 22, column: 37, message: 'destination.url is not a URL (customer "initech")' }]);
    expect(subscriptions).toHaveLength(2);
    const mended = parse(text.replace('"initech', '"https://initech'), { ACME_KEY: 'k-1' });
    expect(mended.subscriptions[2]?.subscription).toMatchObject({
      ...{ customer: 'initech', match: { folder: ['Support'] }, authentication: { key: 'k-1' } },
      destination: { url: 'https://initech.example' },
    });
  });

  test('any number of customers may share an anchor; a file that would grow without bound is refused at once', () => {
    const customer = (name: string, settings: string) =>
      `  - customer: ${name}\n    eventTypes: [root-cause]\n    match: everything\n    destination: ${settings}\n`;
    const others = Array.from({ length: 150 }, (_, i) => customer(`c-${i}`, '*d'));
    const first = customer('first', '&d { type: http, url: "https://a.example/" }');
    const { subscriptions, mistakes } = parse(`subscriptions:\n${first}${others.join('')}`, {});
    expect([subscriptions.length, mistakes]).toEqual([151, []]);
    const nine = (of: string) => `[${Array(9).fill(of).join(',')}]`;
    const levels = [...'bcdefghi'].map((name, i) => `${name}: &${name} ${nine(`*${'abcdefgh'[i]}`)}\n`);
    const bomb = parse(`a: &a ${nine('x')}\n${levels.join('')}subscriptions: []\n`, {});
    expect(bomb.mistakes.map(({ message }) => message)).toEqual([expect.stringContaining('too many aliases')]);
  });

  test('mistakes of all kinds come in one round, and what is valid beside them is read', () => {
    const text = VALID.replace('type: http', 'type: http\n      type: http').replace(
      'https://globex.example/hook',
      'https://${NOBODY}/hook\n    ratePerSecnd: 5',
    );
    const { subscriptions, mistakes } = parse(text, {});
    expect(subscriptions).toEqual([]);
    expect(mistakes.map(({ line }) => line)).toEqual([7, 12, 19, 20]);
    expect(parse(text, { ACME_KEY: 'k-1' }).subscriptions).toHaveLength(1);
  });

  test.each([
    [
      'an unset variable',
      VALID,
      {},
      ['f:11:12: authentication.key: the variable ACME_KEY is not set: export ACME_KEY=… (customer "acme")'],
    ],
    [
      'a tag that nobody resolves',
      VALID.replace('${ACME_KEY}', '!secret ACME_KEY'),
      undefined,
      ['f:11:12: the tag !secret is not known: write ${NAME} for a variable of the environment'],
    ],
    [
      'an alias of nothing',
      VALID.replace('match: everything', 'match: *nope'),
      undefined,
      ['f:14:12: *nope names no anchor: there is no &nope before it'],
    ],
    [
      'a reference without braces',
      VALID.replace('${ACME_KEY}', '$ACME_KEY'),
      undefined,
      [
        'f:11:12: authentication.key: $ACME_KEY is not filled in: write ${ACME_KEY} for the value of the variable ACME_KEY (customer "acme")',
      ],
    ],
    [
      'a placeholder in the place of a secret',
      VALID.replace('${ACME_KEY}', '<your-key>'),
      undefined,
      [
        'f:11:12: authentication.key is a placeholder, not a secret: write ${NAME}, and export the secret as that variable (customer "acme")',
      ],
    ],
    [
      'an unknown key, at the key',
      VALID.replace('match: everything\n    state', 'ratePerSecnd: 5\n    match: everything\n    state'),
      undefined,
      ['f:14:5: ratePerSecnd is not known; did you mean "ratePerSecond"? (customer "globex")'],
    ],
    [
      'a wrong value, at the value',
      VALID.replace('https://globex.example/hook', 'globex'),
      undefined,
      ['f:18:12: destination.url is not a URL (customer "globex")'],
    ],
    [
      'a missing key, at the map that lacks it',
      VALID.replace('      type: http\n      url: https://globex', '      url: https://globex'),
      undefined,
      ['f:17:7: destination.type is missing (customer "globex")'],
    ],
    [
      'an empty value, at its key',
      VALID.replace('state: paused', 'state:'),
      undefined,
      ['f:15:5: state must be active or paused or disabled (customer "globex")'],
    ],
    [
      'a wrong type in a list, at the item',
      VALID.replace('[Support]', '[Support, 7]'),
      undefined,
      ['f:4:53: match.folder.1 must be a string, not a number (customer "acme")'],
    ],
    [
      'a customer who stands there twice, at the second',
      VALID.replace('globex', 'acme'),
      undefined,
      ['f:12:15: customer "acme" is in the file twice: also as number 1 of the list'],
    ],
    ['the same key twice', `${VALID}    state: active\n`, undefined, ['f:19:5: the same key is twice in one map']],
    ['a tab', 'subscriptions:\n\t- customer: a\n', undefined, ['f:2:1: indent with spaces: YAML does not allow tabs']],
    [
      'an unknown key at the top',
      `${VALID}subscription: []\n`,
      undefined,
      ['f:19:1: "subscription" is not known; did you mean "subscriptions"?'],
    ],
    ['an empty file', '# nothing\n', undefined, ['f:1:1: the file is empty; it needs a list under "subscriptions"']],
    [
      'a list at the top',
      '- customer: a\n',
      undefined,
      ['f:1:1: the file must be a map with the one key "subscriptions", a list'],
    ],
    [
      'no subscription',
      'subscriptions: []\n',
      undefined,
      ['f:1:16: "subscriptions" must be a list of at least one subscription'],
    ],
    [
      'what is no subscription',
      'subscriptions: [acme]\n',
      undefined,
      ['f:1:17: a subscription must be a map of settings, not a string'],
    ],
    [
      'an alias that holds itself',
      'subscriptions: &a [*a]\n',
      undefined,
      ['f:1:1: the file has an anchor that contains itself, or too many aliases'],
    ],
  ])('names %s', (_what, text, env, expected) => {
    expect(mistakesOf(text, env)).toEqual(expected);
  });

  test('all mistakes come at once, in the order of the file', () => {
    const text = VALID.replace('acme\n', 'Acme\n').replace('paused', 'asleep').replace('[Support]', '[]');
    expect(mistakesOf(text, {})).toEqual([
      'f:2:15: customer must be 1 to 63 of a-z, 0-9 and - (customer "Acme")',
      'f:4:43: match.folder needs at least one value; leave it out to match anything (customer "Acme")',
      'f:11:12: authentication.key: the variable ACME_KEY is not set: export ACME_KEY=… (customer "Acme")',
      'f:15:12: state must be active or paused or disabled (customer "globex")',
    ]);
  });

  test('no mistake quotes a secret', () => {
    expect(mistakesOf(VALID, { ACME_KEY: 'geheim\u00e9' }).join()).not.toContain('geheim');
  });

  test('any content: subscriptions or mistakes with a place, never a crash', () => {
    const lines = VALID.split('\n');
    const words = fc.constantFrom(
      ...lines,
      ...lines.map((line) => line.trim()),
      '&a',
      '*a',
      '- *a',
      '{',
      ']',
      '<<: *a',
      '!!set',
      '"',
      '|',
      '---',
      '? [a]: b',
    );
    const texts = fc.array(words, { maxLength: 25 }).map((some) => some.join('\n'));
    const holds = (text: string) => {
      const { subscriptions, mistakes } = parse(text, {});
      if (mistakes.length === 0) return subscriptions.length > 0;
      return mistakes.every(({ line, column }) => line >= 1 && column >= 1);
    };
    fc.assert(fc.property(texts, holds), { numRuns: 150 });
    fc.assert(fc.property(anyText({ maxLength: 80 }), holds), { numRuns: 150 });
  });
});
