import type { Caller } from '@databridge/kernel/secrets/tokens';
import type { Attempt } from '@databridge/schemas/records/attempts';
import { shownTo } from './shown-attempt.ts';

const attempt: Attempt = {
  ...{ eventId: 'e', attempt: 1, at: 0, durationMs: 1, outcome: 'blocked', lane: 'main' },
  error: 'vault.internal has an address that may not be sent to',
  operatorDetail: 'vault.internal leads to 10.1.2.3',
  answer: 'the transcript',
};
const { answer, operatorDetail, ...facts } = attempt;

test.each<[string, Caller | undefined, Attempt]>([
  ['operators see all', { id: 'ann', name: 'ann', role: 'operator' }, attempt],
  [
    'customers see answers, and no address',
    { id: 'c', name: 'c', role: 'customer', customer: 'acme' },
    { ...facts, answer },
  ],
  ['readers see neither', { id: 'r', name: 'r', role: 'reader' }, facts],
  ['readers of payloads see answers', { id: 'r', name: 'r', role: 'reader', payloads: true }, { ...facts, answer }],
  ['nobody sees neither', undefined, facts],
])('%s', (_what, caller, shown) => {
  expect(shownTo(caller, attempt)).toEqual(shown);
});

test('what is not there is not shown', () => {
  expect(shownTo({ id: 'ann', name: 'ann', role: 'operator' }, facts)).toEqual(facts);
});
