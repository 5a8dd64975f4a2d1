import { z } from 'zod';
import { destinationKind } from '../kind.ts';
import { timeSettings } from '../time-limits.ts';
import { mailOf } from './notice-mail.ts';

const mailbox = z
  .string()
  .max(254)
  .regex(/^[^\s@<>(),;:"\\]+@[a-z0-9-]+(\.[a-z0-9-]+)+$/i, 'is not an e-mail address');

/** Mail, for notices only: an event contains data that must not be sent by mail. */
export const email = destinationKind({
  title: 'E-mail by SMTP',
  transport: 'smtp',
  schema: z.strictObject({
    type: z.literal('email'),
    host: z.string().regex(/^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$/i, 'is not a host name'),
    port: z.int().min(1).max(65_535).default(587),
    encryption: z.enum(['starttls', 'tls', 'none']).default('starttls'),
    from: mailbox,
    to: z.array(mailbox).min(1, 'needs at least one recipient').max(20),
    ...timeSettings,
  }),
  authentications: ['none', 'basic'],
  urls: [],
  onlyNotices: true,
  issues({ encryption }, authentication) {
    if (encryption !== 'none' || authentication === 'none') return [];
    const message = 'none sends the password in the clear: choose starttls or tls';
    return [{ path: ['destination', 'encryption'], message }];
  },
  label: ({ to, host }) => `${to.join(', ')} by ${host}`,
  address: ({ host, port, to }) => [host, String(port), ...to],
  recipients: ({ host, port, encryption }) => ({
    'destination.host': host,
    'destination.port': String(port),
    // Without encryption, anyone on the network path could read the secret, too.
    'destination.encryption': encryption === 'none' ? 'none' : 'encrypted',
  }),
  mails: ({ host, port, encryption, from, to }) => ({ host, port, encryption, mail: mailOf(from, to) }),
});
