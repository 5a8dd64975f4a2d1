/** The kinds of destination and authentication that a customer can state on the page. */
import type { Choice } from './fields.ts';
import { labelOf } from './labels.ts';

const URL_FIELD = { name: 'url', label: 'URL' };
const ENDPOINT = { name: 'endpoint', label: 'Endpoint', optional: true, hint: 'Empty: that of AWS.' } as const;

/** By the type of the destination. */
export const DESTINATIONS: Readonly<Record<string, Choice>> = {
  http: { label: 'HTTP API', fields: [URL_FIELD] },
  'api-gateway': { label: 'AWS API Gateway', fields: [URL_FIELD] },
  sqs: {
    label: 'AWS SQS queue',
    fields: [
      { name: 'queueUrl', label: 'URL of the queue' },
      { name: 'region', label: 'Region', optional: true },
    ],
  },
  sns: { label: 'AWS SNS topic', fields: [{ name: 'topicArn', label: 'ARN of the topic' }, ENDPOINT] },
  eventbridge: {
    label: 'AWS EventBridge event bus',
    fields: [{ name: 'eventBusArn', label: 'ARN of the event bus' }, ENDPOINT],
  },
};

/** Offered if the customer gets notices only: events must not be sent by mail. */
export const EMAIL: Choice = {
  label: 'E-mail by SMTP',
  fields: [
    { name: 'host', label: 'Mail server' },
    { name: 'port', label: 'Port', kind: 'number', value: '587' },
    {
      name: 'encryption',
      label: 'Encryption',
      options: [
        ['starttls', 'STARTTLS'],
        ['tls', 'TLS from the first byte'],
        ['none', 'None (without a login only)'],
      ],
    },
    { name: 'from', label: 'Sender' },
    { name: 'to', label: 'Recipients', kind: 'lines', hint: 'One address per line.' },
  ],
};

const HTTP = ['basic', 'api-key', 'oauth', 'oauth-key', 'none'];
const AWS = ['aws', 'role'];
/** The destinations whose requests AWS signatures authenticate: they have no TLS and no signing of their own. */
export const AWS_KINDS = ['sqs', 'sns', 'eventbridge'];
/** The authentications that a destination allows. */
export const ALLOWED: Readonly<Record<string, readonly string[]>> = {
  ...{ http: HTTP, 'api-gateway': [...HTTP, ...AWS], email: ['basic', 'none'] },
  ...{ sqs: AWS, sns: AWS, eventbridge: AWS },
};

const secretOf = (name: string) => ({ name, label: labelOf(`authentication.${name}`), kind: 'secret' }) as const;
const TOKEN_URL = { name: 'tokenUrl', label: 'URL of the token endpoint' };
const CLIENT_ID = { name: 'clientId', label: 'Client id' };
const OF_TOKEN = [
  { name: 'scope', label: 'Scope', optional: true },
  { name: 'audience', label: 'Audience', optional: true },
  {
    name: 'method',
    label: 'Method of the token request',
    options: [
      ['POST', 'POST'],
      ['GET', 'GET'],
      ['PUT', 'PUT'],
    ],
  },
] as const;

/** By a name of their own: some are of the same type. */
export const AUTHENTICATIONS: Readonly<Record<string, Choice>> = {
  basic: { label: 'User name and password', fields: [{ name: 'username', label: 'User name' }, secretOf('password')] },
  'api-key': {
    label: 'API key in a header',
    fields: [{ name: 'name', label: 'Name of the header', value: 'X-Api-Key' }, secretOf('key')],
  },
  oauth: {
    label: 'OAuth 2 client credentials',
    fields: [
      ...[TOKEN_URL, CLIENT_ID, secretOf('clientSecret')],
      {
        name: 'clientAuthentication',
        label: 'Credentials in the token request',
        options: [
          ['header', 'in the Authorization header (HTTP Basic)'],
          ['body', 'as parameters (client_id, client_secret)'],
        ],
      },
      ...OF_TOKEN,
    ],
  },
  'oauth-key': {
    label: 'OAuth 2 by a signing key (better: no shared secret)',
    fixed: { type: 'oauth', clientAuthentication: 'private-key-jwt' },
    fields: [
      ...[TOKEN_URL, CLIENT_ID],
      {
        name: 'clientKey',
        label: labelOf('authentication.clientKey'),
        kind: 'long-secret',
        hint: 'Empty: a key is made, and you get its public key.',
      },
      { name: 'clientKeyId', label: 'Id of the signing key (kid)', optional: true },
      { name: 'assertionAudience', label: 'Audience of the assertion', optional: true },
      ...OF_TOKEN,
    ],
  },
  aws: {
    label: 'AWS access key',
    fields: [{ name: 'accessKeyId', label: 'Access key id' }, secretOf('secretAccessKey')],
  },
  role: {
    label: 'AWS role (better: no secret)',
    fixed: { type: 'aws' },
    fields: [{ name: 'roleArn', label: 'ARN of the role' }],
  },
  none: { label: 'None, or a client certificate only', fields: [] },
};

/** Client certificates. */
export const TLS: Readonly<Record<string, Choice>> = {
  none: { label: 'None', fields: [] },
  request: { label: 'By request (better: its key stays with us)', fields: [] },
  own: {
    label: 'Your own',
    fields: [
      { name: 'clientCertificate', label: 'TLS client certificate (PEM)', kind: 'long' },
      { name: 'clientKey', label: labelOf('tls.clientKey'), kind: 'long-secret' },
    ],
  },
};

export const AUTHORITY: Choice = {
  label: '',
  fields: [{ name: 'ca', label: 'Private certificate authorities (PEM)', kind: 'long', optional: true }],
};
