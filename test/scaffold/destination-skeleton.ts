/** The files of a new kind of destination: an HTTP API that gets the event as JSON, and knows us by an API key. */

/** @returns the text of each file, by its name in the folder */
export function skeletonOf(name: string, identifier: string): Record<string, string> {
  return {
    'kind.ts': `import { z } from 'zod';
import { url } from '../../subscription/url-rules.ts';
import { destinationKind, originOf } from '../kind.ts';
import { timeSettings } from '../time-limits.ts';

export const ${identifier} = destinationKind({
  title: '${name}',
  transport: 'http',
  schema: z.strictObject({
    type: z.literal('${name}'),
    url,
    ...timeSettings,
  }),
  authentications: ['api-key'],
  urls: ['url'],
  label: (settings) => settings.url,
  address: (settings) => [settings.url],
  recipients: (settings) => ({ 'destination.url': originOf(settings.url) }),
  requests: (settings) => ({
    url: settings.url,
    method: 'POST',
    headers: {},
    format: (message) => ({ headers: { 'content-type': 'application/json' }, body: message.body }),
  }),
});
`,
    'kind.test.ts': `import { formatIssues, parseSubscription } from '../../subscription/subscription.ts';
import { ${identifier} } from './kind.ts';

const mistakes = (parts: object) => {
  const parsed = parseSubscription({ customer: 'acme', eventTypes: ['root-cause'], match: 'everything', ...parts });
  return parsed.ok ? '' : formatIssues(parsed.issues);
};
const authentication = { type: 'api-key', name: 'x-api-key', key: 'abc' };

test('a subscription names it by its type', () => {
  const destination = { type: '${name}', url: 'https://acme.example/events' };
  expect(mistakes({ destination, authentication })).toBe('');
  expect(mistakes({ destination })).toBe('authentication.type must be api-key for ${name}');
  expect(mistakes({ destination: { ...destination, url: 'acme' }, authentication })).toBe(
    'destination.url is not a URL',
  );
});

test('each event is one request', () => {
  const settings = ${identifier}.schema.parse({ type: '${name}', url: 'https://acme.example/events' });
  if (${identifier}.transport !== 'http') throw new Error('not over HTTP');
  const { url, format } = ${identifier}.requests(settings);
  const message = { eventId: 'e', eventType: 'root-cause', schemaVersion: 'v1.0', attempt: 1, traceparent: undefined };
  expect(url).toBe('https://acme.example/events');
  expect(format({ ...message, body: Buffer.from('{}') }).body.toString()).toBe('{}');
});
`,
    [`${name}.contract.test.ts`]: `/** What every destination does, against an endpoint that fails as real ones do. */
import { destinationSuite, type Kind } from '../../../../test/contract/destination-suite.ts';
import { openFor } from '../../../../test/harness/destinations.ts';
import { Front } from '../../../../test/harness/services/front.ts';

let front: Front;

const kind: Kind = {
  answers: {
    retryable: { status: 503 },
    refused: { status: 422 },
    throttled: { status: 429 },
    unauthorized: { status: 401 },
  },
  tooLarge: { bytes: 100_000, answer: { status: 413 } },
  acceptsByStatus: true,
  async open(times) {
    front = await Front.start();
    const authentication = { type: 'api-key', name: 'x-api-key', key: 'abc-key' };
    return { front, destination: openFor({ destination: { type: '${name}', url: front.origin, ...times }, authentication }) };
  },
  bodies: async () => front.passed.map(({ body }) => body),
};

destinationSuite('${name}', kind);
`,
    'README.md': `# ${name}

\`\`\`yaml
destination: { type: ${name}, url: "https://api.acme.example/events" }
authentication: { type: api-key, name: x-api-key, key: "\${ACME_KEY}" }
\`\`\`

| field | default | meaning |
| ----- | ------- | ------- |
| \`url\` | required | where each event is sent, by POST |
`,
  };
}
