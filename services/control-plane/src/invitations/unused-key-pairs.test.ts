import type { Invitation } from '@databridge/schemas/records/invitations';
import { TICKET_MOST_MS } from './tickets.ts';
import { unusedKeyPairs } from './unused-key-pairs.ts';

const NOW_MS = 10 * TICKET_MOST_MS;
const receiptOf = (place: string) => ({ id: 'r', digest: 'd', atMs: 0, places: [place] });

test.each<[string, Partial<Invitation>, boolean]>([
  ['is open', { expiresAtMs: NOW_MS + 1 }, false],
  ['expired, and a ticket may still answer it', { expiresAtMs: NOW_MS - TICKET_MOST_MS + 1 }, false],
  ['expired', { expiresAtMs: NOW_MS - TICKET_MOST_MS }, true],
  ['was revoked', { state: 'revoked', changedAtMs: NOW_MS }, true],
  ['is locked', { state: 'locked', changedAtMs: NOW_MS }, true],
  ['was answered with the certificate', { state: 'used', receipt: receiptOf('tls.clientKey') }, false],
  ['was answered without it', { state: 'used', receipt: receiptOf('authentication.key') }, true],
  [
    'was answered without it, and may be corrected',
    { state: 'used', changedAtMs: NOW_MS - 1, receipt: receiptOf('authentication.key') },
    false,
  ],
])('the key pair of an invitation that %s', (_what, change, isUnused) => {
  const invitation: Invitation = {
    ...{ id: 'i', customer: 'acme', kind: 'setup', places: [], by: { name: 'ann', role: 'operator' }, state: 'open' },
    ...{ createdAtMs: 0, changedAtMs: 0, expiresAtMs: NOW_MS + 1, failures: 0, code: { kid: 'k', mac: 'm' } },
    ...change,
  };
  const requests = new Map([
    ['acme', { id: 'i' }],
    ['other', { id: 'requested without an invitation' }],
  ]);
  const found = unusedKeyPairs(requests, new Map([['i', invitation]]), NOW_MS);
  expect(found).toEqual(isUnused ? ['acme'] : []);
});
