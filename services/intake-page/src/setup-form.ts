/** The form in which a customer enters its destination, and how that authenticates us. */
import { type CertificatePart, certificatePart } from './certificate.ts';
import { el, field, select } from './dom.ts';
import { makeClientKey, makeSigningKey } from './made-keys.ts';

/** The entered values, with the secrets apart from the rest, by place. */
export interface Entered {
  readonly setup?: Record<string, unknown>;
  readonly secrets: Readonly<Record<string, string>>;
  /** The signed certificate in PEM, if it was requested here. */
  readonly certificate?: string;
  /** The public keys that were created here, each with its purpose. */
  readonly publicKeys?: readonly (readonly [words: string, key: string])[];
}

export interface Form {
  readonly nodes: Node[];
  read(): Promise<Entered>;
  /** Clears the secrets once they are sent; the other values stay for corrections. */
  forget(): void;
}

type Kind = 'text' | 'secret' | 'long' | 'long-secret';
interface FieldOf {
  /** The name in the subscription. */
  readonly name: string;
  readonly label: string;
  readonly kind?: Kind;
  readonly value?: string;
  readonly optional?: true;
  readonly hint?: string;
}
interface Choice {
  readonly label: string;
  readonly fixed?: Record<string, unknown>;
  readonly fields: readonly FieldOf[];
}

const DESTINATIONS: Record<string, Choice> = {
  http: { label: 'HTTP API', fields: [{ name: 'url', label: 'URL' }] },
  'api-gateway': { label: 'AWS API Gateway', fields: [{ name: 'url', label: 'URL' }] },
  sqs: {
    label: 'AWS SQS queue',
    fields: [
      { name: 'queueUrl', label: 'URL of the queue' },
      { name: 'region', label: 'Region', optional: true },
    ],
  },
  sns: {
    label: 'AWS SNS topic',
    fields: [
      { name: 'topicArn', label: 'ARN of the topic' },
      { name: 'endpoint', label: 'Endpoint, if another', optional: true },
    ],
  },
  eventbridge: {
    label: 'AWS EventBridge event bus',
    fields: [
      { name: 'eventBusArn', label: 'ARN of the event bus' },
      { name: 'endpoint', label: 'Endpoint, if another', optional: true },
    ],
  },
};

const AUTHENTICATIONS: Record<string, Choice> = {
  basic: {
    label: 'User name and password',
    fields: [
      { name: 'username', label: 'User name' },
      { name: 'password', label: 'Password', kind: 'secret' },
    ],
  },
  'api-key': {
    label: 'API key in a header',
    fields: [
      { name: 'name', label: 'Name of the header', value: 'X-Api-Key' },
      { name: 'key', label: 'Key', kind: 'secret' },
    ],
  },
  oauth: {
    label: 'OAuth 2 client credentials',
    fields: [
      { name: 'tokenUrl', label: 'URL of the token endpoint' },
      { name: 'clientId', label: 'Client id' },
      { name: 'clientSecret', label: 'Client secret', kind: 'secret' },
      { name: 'scope', label: 'Scope', optional: true },
      { name: 'method', label: 'Method, if not POST', optional: true },
    ],
  },
  'oauth-key': {
    label: 'OAuth 2 by a private key (better: no secret)',
    fixed: { type: 'oauth', clientAuthentication: 'private-key-jwt' },
    fields: [
      { name: 'tokenUrl', label: 'URL of the token endpoint' },
      { name: 'clientId', label: 'Client id' },
      {
        name: 'clientKey',
        label: 'Private key of the client (PEM)',
        kind: 'long-secret',
        hint: 'Empty: one is made, and you get its public half.',
      },
      { name: 'clientKeyId', label: 'Id of the key (kid)', optional: true },
      { name: 'assertionAudience', label: 'Audience, if another', optional: true },
      { name: 'scope', label: 'Scope', optional: true },
    ],
  },
  aws: {
    label: 'AWS access key',
    fields: [
      { name: 'accessKeyId', label: 'Access key id' },
      { name: 'secretAccessKey', label: 'Secret access key', kind: 'secret' },
    ],
  },
  role: {
    label: 'AWS role (better: no secret)',
    fixed: { type: 'aws' },
    fields: [{ name: 'roleArn', label: 'ARN of the role' }],
  },
  none: { label: 'None, or a client certificate alone', fields: [] },
};

/** Labels by place. */
export const LABELS = Object.fromEntries(
  Object.values(AUTHENTICATIONS).flatMap(({ fields }) =>
    fields.map(({ name, label }) => [`authentication.${name}`, label]),
  ),
);

const TLS: Record<string, Choice> = {
  none: { label: 'None', fields: [] },
  request: { label: 'By request (better: its key stays with us)', fields: [] },
  own: {
    label: 'Your own',
    fields: [
      { name: 'clientCertificate', label: 'Client certificate (PEM)', kind: 'long' },
      { name: 'clientKey', label: 'Its private key (PEM)', kind: 'long-secret' },
    ],
  },
};
const AUTHORITY: Choice = {
  label: '',
  fields: [{ name: 'ca', label: 'Private authority to be trusted (PEM)', kind: 'long', optional: true }],
};
const MASK = '[secret]';

/** @param request creates a key and its certificate request */
export function setupForm(request: Parameters<typeof certificatePart>[0]): Form {
  const destination = chooser('Destination', 'destination', DESTINATIONS);
  const authentication = chooser('How does it know us?', 'authentication', AUTHENTICATIONS);
  const requested = certificatePart(request);
  const tls = chooser('Client certificate', 'tls', TLS, { request: requested });
  const authority = fieldsOf('tls', AUTHORITY);
  const signing = el('input', { type: 'checkbox' });
  const rate = field('Most events per second', { hint: 'Empty: no limit.' });
  const signingKey = once(makeSigningKey);
  const clientKey = once(makeClientKey);
  return {
    nodes: [
      ...destination.nodes,
      ...authentication.nodes,
      el('details', {}, el('summary', {}, 'Mutual TLS'), ...tls.nodes, ...authority.nodes),
      el('label', {}, signing, ' Sign every request by a new key (Ed25519), of which you get the public half'),
      ...rate.nodes,
    ],
    async read() {
      const secrets: Record<string, string> = {};
      const publicKeys: [string, string][] = [];
      const { type, ...stated } = authentication.read(secrets);
      if (secrets['authentication.clientKey'] === '') {
        const made = await clientKey(stated['clientKeyId'] as string | undefined);
        secrets['authentication.clientKey'] = made.secret;
        publicKeys.push(['Register this public key (JWK): ', made.publicKey]);
      }
      if (signing.checked) {
        const made = await signingKey();
        secrets['signing.secrets.0'] = made.secret;
        publicKeys.push(['Requests are signed (Standard Webhooks, v1a). Verify them by: ', made.publicKey]);
      }
      const { type: how, ...own } = tls.read(secrets);
      const certificates = { ...own, ...authority.read(secrets) };
      const certificate = how === 'request' ? requested.read() : undefined;
      if (how === 'request' && certificate === undefined) {
        throw new Error('The signed certificate is missing.');
      }
      const perSecond = rate.input.value.trim();
      return {
        ...{ secrets, publicKeys },
        ...(certificate !== undefined && { certificate }),
        setup: {
          destination: destination.read(secrets),
          authentication: { type, ...stated },
          ...(Object.keys(certificates).length > 0 && { tls: certificates }),
          ...(signing.checked && { signing: { secrets: [MASK] } }),
          ...(perSecond !== '' && { ratePerSecond: Number(perSecond) }),
        },
      };
    },
    forget() {
      for (const one of [destination, authentication, tls]) one.forget();
    },
  };
}

/** A key is created once: later corrections keep the one that the customer registered. */
function once<A extends unknown[], T>(make: (...given: A) => Promise<T>): (...given: A) => Promise<T> {
  let made: Promise<T> | undefined;
  return (...given) => {
    made ??= make(...given);
    return made;
  };
}

interface Part {
  readonly nodes: Node[];
  read(secrets: Record<string, string>): Record<string, unknown>;
  forget(): void;
}

/** @param further the nodes that a choice shows besides its fields */
function chooser(
  label: string,
  place: string,
  choices: Record<string, Choice>,
  further: Record<string, Pick<CertificatePart, 'nodes'>> = {},
): Part {
  const inner = el('fieldset');
  let current: Part;
  const choose = () => {
    current = fieldsOf(place, choices[choice.input.value] ?? AUTHORITY);
    inner.replaceChildren(...current.nodes, ...(further[choice.input.value]?.nodes ?? []));
  };
  const choice = select(
    label,
    Object.entries(choices).map(([value, one]) => [value, one.label]),
    choose,
  );
  choose();
  return {
    nodes: [...choice.nodes, inner],
    read: (secrets) => ({
      ...{ type: choice.input.value },
      ...choices[choice.input.value]?.fixed,
      ...current.read(secrets),
    }),
    forget: () => current.forget(),
  };
}

function fieldsOf(place: string, { fields }: Choice): Part {
  const made = fields.map((one) => {
    const { kind = 'text', value = '', hint = '' } = one;
    const isSecret = kind.endsWith('secret');
    return {
      one,
      isSecret,
      ...field(one.label, { isSecret: kind === 'secret', isLong: kind.startsWith('long'), value, hint }),
    };
  });
  return {
    nodes: made.flatMap(({ nodes }) => nodes),
    read(secrets) {
      const stated: Record<string, unknown> = {};
      for (const { one, isSecret, input } of made) {
        const value = isSecret ? input.value : input.value.trim();
        if (value === '' && one.optional) continue;
        stated[one.name] = isSecret ? MASK : value;
        if (isSecret) secrets[`${place}.${one.name}`] = value;
      }
      return stated;
    },
    forget() {
      for (const { isSecret, input } of made) if (isSecret) input.value = '';
    },
  };
}
