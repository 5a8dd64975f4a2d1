/** `npm run openapi` writes the portal's set-up/kinds.ts: the fields of each kind of destination and authentication, which the set-up form is made of. */
import { readFileSync, writeFileSync } from 'node:fs';
import * as registered from '@databridge/schemas/destination/kinds';
import { isSecretPath } from '@databridge/schemas/subscription/secret-places';
import { subscriptionSchema } from '@databridge/schemas/subscription/subscription';
import { z } from 'zod';

/** As services/portal/src/set-up/fields.ts describes it. */
interface FieldOf {
  readonly name: string;
  readonly label: string;
  readonly kind: 'text' | 'long' | 'secret' | 'long-secret' | 'choice' | 'number' | 'check' | 'map';
  readonly isRequired: boolean;
  readonly hint?: string;
  readonly options?: readonly string[];
  readonly default?: unknown;
  readonly min?: number;
  readonly max?: number;
  readonly when?: When;
}

interface When {
  readonly field: string;
  readonly is: readonly string[];
}

interface Kind {
  readonly type: string;
  readonly title: string;
  readonly authentications?: readonly string[];
  readonly fields: readonly FieldOf[];
}

interface Schema {
  readonly type?: string;
  readonly const?: string;
  readonly enum?: readonly string[];
  readonly default?: unknown;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly oneOf?: readonly Schema[];
}

const AUTHENTICATION_TITLES: Readonly<Record<string, string>> = {
  none: 'None, or a client certificate alone',
  basic: 'User name and password',
  'api-key': 'API key in a header',
  oauth: 'OAuth 2 client credentials',
  aws: 'AWS: an access key, or a role',
};
/** The labels of fields whose name alone does not tell them apart. */
const LABELS: Readonly<Record<string, string>> = {
  'authentication.clientKey': 'OAuth signing key',
  'authentication.clientKeyId': 'OAuth signing key id',
  'authentication.headers': 'Headers of the token request',
  'authentication.query': 'Query parameters of the token request',
  'authentication.body': 'Body parameters of the token request',
  'tls.clientCertificate': 'TLS client certificate',
  'tls.clientKey': 'TLS client key',
  'tls.ca': 'Private certificate authorities',
};
/** The placeholder of fields that contain PEM. */
const LONG = new Set(['authentication.clientKey', 'tls.clientCertificate', 'tls.clientKey', 'tls.ca']);
/** Hints that are not in the tables. */
const HINTS: Readonly<Record<string, string>> = {
  'authentication.roleArn': 'Better than an access key: no secret leaves AWS. Leave the key fields empty then.',
  'authentication.externalId': 'Generated when a role is saved: the trust policy of the role asks for it.',
  'authentication.clientAuthentication':
    'header: HTTP Basic; body: parameters of the token request; private-key-jwt: an assertion that a private key signs, so that no secret is shared',
  'authentication.clientKey':
    'The private key that signs assertions, in PEM: RSA, EC or Ed25519. Register its public key for the client.',
  'authentication.clientKeyId': 'The kid of the assertion, if the server requires one.',
  'authentication.assertionAudience': 'Left empty: the token endpoint.',
  'tls.ca': 'If given, only these authorities are trusted, and no public ones.',
};

/** Fields that are shown only for some values of another field. */
const BY_SECRET: When = { field: 'clientAuthentication', is: ['header', 'body'] };
const BY_KEY: When = { field: 'clientAuthentication', is: ['private-key-jwt'] };
const WHEN: Readonly<Record<string, When>> = {
  'authentication.clientSecret': BY_SECRET,
  'authentication.clientKey': BY_KEY,
  'authentication.clientKeyId': BY_KEY,
  'authentication.assertionAudience': BY_KEY,
};

const schemaOf = (type: z.ZodType) => z.toJSONSchema(type, { io: 'input', unrepresentable: 'any' }) as Schema;

function fieldsOf(place: string, { properties = {}, required = [] }: Schema, hints: Readonly<Record<string, string>>) {
  return Object.entries(properties)
    .filter(([name]) => name !== 'type')
    .map(([name, schema]): FieldOf => {
      const hint = HINTS[`${place}.${name}`] ?? hints[name];
      const when = WHEN[`${place}.${name}`];
      return {
        ...{ name, label: LABELS[`${place}.${name}`] ?? labelOf(name), kind: kindOf(place, name, schema) },
        isRequired: required.includes(name),
        ...(hint !== undefined && { hint }),
        ...(schema.enum && { options: schema.enum }),
        ...(schema.default !== undefined && { default: schema.default }),
        ...(schema.minimum !== undefined && { min: schema.minimum }),
        ...(schema.maximum !== undefined && { max: schema.maximum }),
        ...(when !== undefined && { when }),
      };
    });
}

function kindOf(place: string, name: string, schema: Schema): FieldOf['kind'] {
  const isLong = LONG.has(`${place}.${name}`);
  if (isSecretPath([place, name])) return isLong ? 'long-secret' : 'secret';
  if (isLong) return 'long';
  if (schema.enum !== undefined) return 'choice';
  if (schema.type === 'boolean') return 'check';
  if (schema.type === 'integer' || schema.type === 'number') return 'number';
  return schema.type === 'object' || schema.type === 'array' ? 'map' : 'text';
}

/** `connectTimeoutMs` becomes `Connect timeout (ms)`. */
function labelOf(name: string): string {
  const words = name
    .replaceAll(/([A-Z])/g, ' $1')
    .toLowerCase()
    .replace(/ ms$/, ' (ms)')
    .replaceAll(/\b(url|arn|ca)\b/g, (word) => word.toUpperCase());
  return `${words.charAt(0).toUpperCase()}${words.slice(1)}`;
}

/** The table of a kind's README, which describes each field. */
function hintsOf(type: string): Record<string, string> {
  const text = readFileSync(
    new URL(`../../../../../schemas/src/destination/${type}/README.md`, import.meta.url),
    'utf8',
  );
  const rows = text.matchAll(/^\| `(\w+)`\s*\|[^|]*\|\s*(.*?)\s*\|$/gm);
  return Object.fromEntries([...rows].map(([, name = '', meaning = '']) => [name, meaning.replaceAll('`', '')]));
}

function kinds(): { destinations: Kind[]; authentications: Kind[]; tls: readonly FieldOf[] } {
  const destinations = Object.values(registered).map((kind): Kind => {
    const schema = schemaOf(kind.schema);
    const type = schema.properties?.['type']?.const ?? '';
    const { title, authentications } = kind;
    return { type, title, authentications, fields: fieldsOf('destination', schema, hintsOf(type)) };
  });
  const { authentication, tls } = subscriptionSchema.shape;
  const authentications = (schemaOf(authentication).oneOf ?? []).map((schema): Kind => {
    const type = schema.properties?.['type']?.const ?? '';
    return { type, title: AUTHENTICATION_TITLES[type] ?? type, fields: fieldsOf('authentication', schema, {}) };
  });
  return { destinations, authentications, tls: fieldsOf('tls', schemaOf(tls), {}) };
}

/** The usual one comes first. */
const ORDER = ['http', 'api-gateway', 'sqs', 'sns', 'eventbridge', 'email'];
const rankOf = ({ type }: Kind) => (ORDER.includes(type) ? ORDER.indexOf(type) : ORDER.length);

export function kindsText(): string {
  const { destinations, authentications, tls } = kinds();
  const sorted = destinations.toSorted((a, b) => rankOf(a) - rankOf(b));
  return [
    '/** Generated from the schemas by `npm run openapi`; a test fails when this file is stale. */',
    "import type { FieldOf, Kind } from './fields.ts';",
    `export const DESTINATIONS: readonly Kind[] = ${JSON.stringify(sorted)};`,
    `export const AUTHENTICATIONS: readonly Kind[] = ${JSON.stringify(authentications)};`,
    `export const TLS_FIELDS: readonly FieldOf[] = ${JSON.stringify(tls)};\n`,
  ].join('\n\n');
}

export const KINDS_FILE = new URL('../../../../portal/src/set-up/kinds.ts', import.meta.url);

if (import.meta.main) writeFileSync(KINDS_FILE, kindsText());
