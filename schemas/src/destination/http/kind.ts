import { z } from 'zod';
import { destinationKind, originOf } from '../kind.ts';
import { formatterOf } from './event-format.ts';
import { httpSettings } from './settings.ts';

/** Any HTTP endpoint of the customer. */
export const http = destinationKind({
  title: 'HTTP endpoint',
  transport: 'http',
  schema: z.strictObject({
    type: z.literal('http'),
    ...httpSettings,
    gzip: z.boolean().default(false),
    handshake: z.boolean().default(false),
  }),
  authentications: ['none', 'basic', 'api-key', 'oauth'],
  urls: ['url'],
  issues({ handshake, format }) {
    if (handshake !== true || String(format).startsWith('cloudevents')) return [];
    return [{ path: ['destination', 'handshake'], message: 'is part of CloudEvents: choose a cloudevents format' }];
  },
  label: ({ url }) => url,
  address: ({ url }) => [url],
  recipients: ({ url }) => ({ 'destination.url': originOf(url) }),
  requests: (settings) => ({ ...settings, format: formatterOf(settings.format) }),
});
