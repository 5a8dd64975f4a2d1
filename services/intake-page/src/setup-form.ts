/** The form by which a customer states where events go, and how the destination knows us. */
import { el, field, select } from './dom.ts';
import { makeSigningKey } from './signing-key.ts';

/** What was entered: secrets apart from the rest, by place. */
export interface Entered {
  readonly setup?: Record<string, unknown>;
  readonly secrets: Readonly<Record<string, string>>;
  /** Of a signing key that was made for the customer. */
  readonly publicKey?: string;
}

type Kind = 'text' | 'secret' | 'long' | 'long-secret';
interface FieldOf {
  /** As the subscription names it. */
  readonly name: string;
  readonly label: string;
  readonly kind?: Kind;
  readonly value?: string;
  readonly optional?: true;
}
interface Choice {
  readonly label: string;
  readonly fixed?: Record<string, unknown>;
  readonly fields: readonly FieldOf[];
}

const DESTINATIONS: Record<string, Choice> = {
  http: { label: 'HTTP API', fields: [{ name: 'url', label: 'URL' }] },
  'api-gateway': { label: 'AWS API Gateway', fields: [{ name: 'url', label: 'URL of the stage and resource' }] },
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
      { name: 'endpoint', label: 'Endpoint, if not the usual one', optional: true },
    ],
  },
  eventbridge: {
    label: 'AWS EventBridge event bus',
    fields: [
      { name: 'eventBusArn', label: 'ARN of the event bus' },
      { name: 'endpoint', label: 'Endpoint, if not the usual one', optional: true },
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
    label: 'AWS role (better: no secret leaves AWS)',
    fixed: { type: 'aws' },
    fields: [{ name: 'roleArn', label: 'ARN of the role' }],
  },
  none: { label: 'None, or a client certificate alone', fields: [] },
};

const TLS: Choice = {
  label: 'Client certificate',
  fields: [
    { name: 'clientCertificate', label: 'Client certificate (PEM)', kind: 'long', optional: true },
    { name: 'clientKey', label: 'Its private key (PEM)', kind: 'long-secret', optional: true },
    { name: 'ca', label: 'Private authority to be trusted (PEM)', kind: 'long', optional: true },
  ],
};
const MASK = '[secret]';

export function setupForm(): { readonly nodes: Node[]; read(): Promise<Entered> } {
  const destination = chooser('Destination', 'destination', DESTINATIONS);
  const authentication = chooser('How does it know us?', 'authentication', AUTHENTICATIONS);
  const tls = fieldsOf('tls', TLS);
  const signing = el('input', { type: 'checkbox' });
  const rate = field('Most events per second', { hint: 'Leave it empty if there is no limit.' });
  return {
    nodes: [
      ...destination.nodes,
      ...authentication.nodes,
      el('details', {}, el('summary', {}, 'Mutual TLS'), ...tls.nodes),
      el('label', {}, signing, ' Sign every request by a new key (Ed25519), of which you get the public half'),
      ...rate.nodes,
    ],
    async read() {
      const secrets: Record<string, string> = {};
      const key = signing.checked ? await makeSigningKey() : undefined;
      if (key !== undefined) secrets['signing.secrets.0'] = key.secret;
      const certificates = tls.read(secrets);
      const perSecond = rate.input.value.trim();
      return {
        secrets,
        ...(key !== undefined && { publicKey: key.publicKey }),
        setup: {
          destination: destination.read(secrets),
          authentication: authentication.read(secrets),
          ...(Object.keys(certificates).length > 0 && { tls: certificates }),
          ...(key !== undefined && { signing: { secrets: [MASK] } }),
          ...(perSecond !== '' && { ratePerSecond: Number(perSecond) }),
        },
      };
    },
  };
}

type Read = (secrets: Record<string, string>) => Record<string, unknown>;

function chooser(label: string, place: string, choices: Record<string, Choice>): { nodes: Node[]; read: Read } {
  const inner = el('fieldset');
  let current: { nodes: Node[]; read: Read };
  const choose = () => {
    current = fieldsOf(place, choices[choice.input.value] ?? TLS);
    inner.replaceChildren(...current.nodes);
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
  };
}

function fieldsOf(place: string, { fields }: Choice): { nodes: Node[]; read: Read } {
  const made = fields.map((one) => {
    const { kind = 'text', value = '' } = one;
    return { one, ...field(one.label, { isSecret: kind === 'secret', isLong: kind.startsWith('long'), value }) };
  });
  return {
    nodes: made.flatMap(({ nodes }) => nodes),
    read(secrets) {
      const stated: Record<string, unknown> = {};
      for (const { one, input } of made) {
        const isSecret = one.kind?.endsWith('secret');
        const value = isSecret ? input.value : input.value.trim();
        if (value === '' && one.optional) continue;
        stated[one.name] = isSecret ? MASK : value;
        if (isSecret) secrets[`${place}.${one.name}`] = value;
      }
      return stated;
    },
  };
}
