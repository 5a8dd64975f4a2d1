import { parseSubscription } from '../../subscription/subscription.ts';
import { formatterOf } from './event-format.ts';

const messageOf = (body: unknown) =>
  ({
    ...{ eventId: 'e', eventType: 'notice', schemaVersion: 'v1.0', attempt: 1, traceparent: undefined },
    body: Buffer.from(JSON.stringify(body)),
  }) as const;

test.each([
  [
    { state: 'raised', severity: 'critical', text: 'Deliveries to "a<b>&c" are disabled.' },
    '*critical* Deliveries to "a&lt;b&gt;&amp;c" are disabled.',
  ],
  [{ state: 'resolved', severity: 'information', text: 'Resolved.' }, '*resolved* Resolved.'],
])('for Slack, a notice is a message with its text escaped', (notice, text) => {
  const { headers, body } = formatterOf('slack')(messageOf(notice));
  expect(headers).toEqual({ 'content-type': 'application/json' });
  expect(JSON.parse(Buffer.from(body).toString('utf8'))).toEqual({ text });
});

test('events of calls are not sent to a chat', () => {
  const subscription = (eventTypes: readonly string[]) => ({
    ...{ customer: 'ops', eventTypes, match: { company: ['operators'] } },
    destination: { type: 'http', url: 'https://hooks.slack.com/services/T/B/x', format: 'slack' },
  });
  expect(JSON.stringify(parseSubscription(subscription(['notice'])))).not.toContain('slack is for');
  const mixed = JSON.stringify(parseSubscription(subscription(['notice', 'root-cause'])));
  expect(mixed).toContain('slack is for notices alone: eventTypes must be [notice]');
});
