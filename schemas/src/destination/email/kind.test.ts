import { changedRecipients } from '../../rights/secret-recipients.ts';
import { formatIssues, parseSubscription } from '../../subscription/subscription.ts';
import { mailOf } from './notice-mail.ts';

const DESTINATION = { type: 'email', host: 'mail.example.com', from: 'a@example.com', to: ['b@example.com'] };
const mistakes = (destination: object, more: object = {}) => {
  const given = { customer: 'ops', eventTypes: ['notice'], match: { company: ['operators'] }, ...more };
  const parsed = parseSubscription({ ...given, destination: { ...DESTINATION, ...destination } });
  return parsed.ok ? '' : formatIssues(parsed.issues);
};
const basic = { authentication: { type: 'basic', username: 'u', password: 'p' } };

test.each<[object, object, string]>([
  [{}, {}, ''],
  [{ encryption: 'tls', port: 465 }, basic, ''],
  [{ host: 'https://mail.example.com' }, {}, 'destination.host is not a host name'],
  [{ to: ['b@example.com\r\nBcc: c@example.com'] }, {}, 'destination.to.0 is not an e-mail address'],
  [{ to: [] }, {}, 'destination.to needs at least one recipient'],
  [
    { encryption: 'none' },
    basic,
    'destination.encryption none sends the password in the clear: choose starttls or tls',
  ],
  [{}, { eventTypes: ['root-cause'] }, 'destination.type email is for notices alone: eventTypes must be [notice]'],
  [
    {},
    { eventTypes: ['notice', 'root-cause'] },
    'destination.type email is for notices alone: eventTypes must be [notice]',
  ],
  [{}, { signing: { secrets: [`whsec_${Buffer.alloc(24).toString('base64')}`] } }, 'signing does not go with email'],
  [
    {},
    { authentication: { type: 'api-key', name: 'x', key: 'k' } },
    'authentication.type must be none or basic for email',
  ],
])('mistakes of %j with %j', (destination, more, expected) => {
  expect(mistakes(destination, more)).toBe(expected);
});

test('another server, port or no encryption demands the password again, another recipient does not', () => {
  const changed = (change: object) => {
    const full = { port: 587, encryption: 'starttls', timeoutMs: 1_000, ...DESTINATION };
    const before = { destination: full, ...basic };
    return changedRecipients(before as never, { ...before, destination: { ...full, ...change } } as never);
  };
  expect(changed({ to: ['c@example.com'] })).toEqual([]);
  expect(changed({ encryption: 'tls' })).toEqual([]);
  expect(changed({ host: 'other.example.com' })).toEqual(['destination.host']);
  expect(changed({ port: 25 })).toEqual(['destination.port']);
  expect(changed({ encryption: 'none' })).toEqual(['destination.encryption']);
});

test('a retry is the same mail, another notice another, and a test event is one too', () => {
  const make = mailOf('a@example.com', ['b@example.com']);
  const message = (eventId: string, notice: object) =>
    make({ eventId, body: Buffer.from(JSON.stringify(notice)) } as Parameters<typeof make>[0]);
  const notice = { noticeid: 'acme/held', severity: 'warning', state: 'raised', text: 'Held. More follows.' };
  expect(message('1', notice)).toEqual(message('1', notice));
  expect(message('2', notice).messageId).not.toBe(message('1', notice).messageId);
  expect(message('2', { ...notice, state: 'resolved' })).toMatchObject({
    subject: '[resolved] Held.',
    references: message('1', notice).references,
  });
  expect(message('3', {}).subject).toBe('[test]');
});
