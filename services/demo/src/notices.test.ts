import { stripVTControlCharacters } from 'node:util';
import { formatNotice } from './notices.ts';

test.each([
  [
    'raised',
    'critical',
    'Deliveries to "initech" are disabled by an operator. 50 events wait.',
    'critical    Deliveries to "initech" are disabled by an operator.',
  ],
  [
    'raised',
    'information',
    '"acme" has up to 1 dead letter: events of api.example.com that its endpoint refused. They can be sent again.',
    'information "acme" has up to 1 dead letter: events of api.example.com that its endpoint refused.',
  ],
  ['resolved', 'information', 'Resolved for "acme". It was: held.', 'resolved    Resolved for "acme".'],
] as const)('a notice that is %s, with severity "%s", takes one line', (state, severity, text, line) => {
  const printed = stripVTControlCharacters(formatNotice({ noticeid: 'x', state, severity, text }));
  expect(printed.trim()).toBe(line);
});
