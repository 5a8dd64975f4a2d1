/** The subscription: a customer's standing order. Its one validator, and its coding in the subscriptions topic. */
import { z } from 'zod';
import { type Issue, inWords, issuesOf } from './issue-words.ts';
import { CUSTOMER_PATTERN } from './topics.ts';

/**
 * `S` is the form in which secrets are held: text as a person wrote it, sealed text (JWE), or a type that does not
 * print. {@link mapSecrets} goes from one to the other.
 */
export interface Subscription<S = string> {
  readonly customer: string;
  /** Which event types, by name. */
  readonly eventTypes: readonly string[];
  /** Exact strings, case-sensitive. A field left out matches anything. */
  readonly match: Match;
  readonly destination: HttpDestination;
  readonly authentication: Authentication<S>;
  /** Left out: as fast as the destination answers. May be a fraction: 0.5 is one in two seconds. */
  readonly ratePerSecond?: number;
  readonly maxInFlight: number;
  /** Two secrets during a rotation. */
  readonly signing?: { readonly secrets: readonly S[] };
  /** What the operator wants. What the worker found stands in the status record. */
  readonly state: 'active' | 'paused';
  /** Raised by each enabling. The customer is disabled while its status record names the same epoch. */
  readonly enableEpoch: number;
}

export interface Match {
  readonly company?: readonly string[];
  readonly organisation?: readonly string[];
  readonly folder?: readonly string[];
}

export interface HttpDestination {
  readonly type: 'http';
  readonly url: string;
  readonly method: 'POST' | 'PUT';
  readonly headers: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
}

export type Authentication<S = string> =
  | { readonly type: 'none' }
  | { readonly type: 'basic'; readonly username: string; readonly password: S }
  | { readonly type: 'api-key'; readonly name: string; readonly key: S };

export type SubscriptionIssue = Issue;

export type ParsedSubscription =
  | { readonly ok: true; readonly subscription: Subscription }
  | { readonly ok: false; readonly issues: SubscriptionIssue[] };

const HEADER_NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,128}$/;
const HEADER_VALUE = /^[\x20-\x7e]*$/;
/** Set by us or by the HTTP client: a customer's own value would break the request or fake our facts. */
const RESERVED_HEADER =
  /^(host|content-length|content-type|transfer-encoding|connection|keep-alive|upgrade|te|trailer|expect|proxy-.*|webhook-.*|databridge-.*|traceparent)$/i;

const headerName = z
  .string()
  .regex(HEADER_NAME, 'is not an HTTP header name')
  .refine((name) => !RESERVED_HEADER.test(name), 'is set by Databridge itself');

const ownHeaderName = headerName.refine(
  (name) => name.toLowerCase() !== 'authorization',
  'belongs under authentication, where it is kept secret',
);

const url = z.string().superRefine((text, context) => {
  const parsed = URL.parse(text);
  const wrong = (message: string) => context.addIssue({ code: 'custom', message });
  if (!parsed) return wrong('is not a URL');
  if (parsed.protocol !== 'https:' && parsed.protocol !== 'http:') wrong('must begin with https:// (or http://)');
  if (parsed.username || parsed.password) wrong('must not hold credentials: they belong under authentication');
  if (parsed.hash) wrong('must not have a #fragment: it is never sent');
});

const wanted = z.array(z.string().min(1)).min(1, 'needs at least one value; leave it out to match anything');

/** The parts that are the same however secrets are held. */
function subscriptionShape(secret: { password: z.ZodString; key: z.ZodString; signing: z.ZodString }) {
  return z.strictObject({
    customer: z.string().regex(CUSTOMER_PATTERN, 'must be 1 to 63 of a-z, 0-9 and -'),
    eventTypes: z
      .array(z.string().min(1))
      .min(1, 'needs at least one event type')
      .refine((types) => new Set(types).size === types.length, 'names an event type twice'),
    match: z
      .strictObject({ company: wanted.optional(), organisation: wanted.optional(), folder: wanted.optional() })
      .default({}),
    destination: z.discriminatedUnion('type', [
      z.strictObject({
        type: z.literal('http'),
        url,
        method: z.enum(['POST', 'PUT']).default('POST'),
        headers: z.record(ownHeaderName, z.string().regex(HEADER_VALUE, 'must be printable ASCII')).default({}),
        // The retry plan's 185 attempts leave about 20 s for each in their 24 hours.
        timeoutMs: z.int().min(100).max(20_000).default(10_000),
      }),
    ]),
    authentication: z
      .discriminatedUnion('type', [
        z.strictObject({ type: z.literal('none') }),
        z.strictObject({
          type: z.literal('basic'),
          username: z.string().regex(/^[^:\p{Cc}]+$/u, 'must not be empty, nor hold a colon or control characters'),
          password: secret.password,
        }),
        z.strictObject({ type: z.literal('api-key'), name: headerName, key: secret.key }),
      ])
      .default({ type: 'none' }),
    ratePerSecond: z.number().positive().max(1_000_000).optional(),
    maxInFlight: z.int().min(1).max(10_000).default(64),
    signing: z.strictObject({ secrets: z.array(secret.signing).min(1).max(2) }).optional(),
    state: z.enum(['active', 'paused']).default('active'),
    enableEpoch: z.int().min(0).default(0),
  });
}

/** As a person writes it. No message may quote a secret. */
const plainSchema = subscriptionShape({
  password: z.string().regex(/^\P{Cc}*$/u, 'must not hold control characters'),
  key: z.string().regex(/^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/, 'must be printable ASCII, not empty'),
  signing: z
    .string()
    // 24 to 64 bytes is what Standard Webhooks asks for.
    .regex(
      /^whsec_(?:[A-Za-z0-9+/]{4}){8,21}(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/,
      'must be whsec_ and the base64 of 24 to 64 bytes',
    ),
});

const JWE = z.string().regex(/^[\w-]+\.[\w-]*\.[\w-]+\.[\w-]+\.[\w-]+$/, 'is not sealed');
/** As Kafka holds it: a secret that is not sealed is refused, on the way in and on the way out. */
const sealedSchema = subscriptionShape({ password: JWE, key: JWE, signing: JWE });

function parseAs(schema: typeof plainSchema, value: unknown): ParsedSubscription {
  const parsed = schema.safeParse(value, { error: inWords });
  if (parsed.success) return { ok: true, subscription: withoutUndefined(parsed.data) };
  return { ok: false, issues: issuesOf(parsed.error) };
}

/** zod leaves optional keys that were given as `undefined` in place; here, absent means absent. */
function withoutUndefined(parsed: z.output<typeof plainSchema>): Subscription {
  return JSON.parse(JSON.stringify(parsed)) as Subscription;
}

/** The one validator of what people write: fills in defaults, reports every mistake with its path. */
export function parseSubscription(value: unknown): ParsedSubscription {
  return parseAs(plainSchema, value);
}

/**
 * The value of a record in the subscriptions topic.
 * @throws {TypeError} if a secret is not sealed, or the subscription is not valid: a bug of the caller
 */
export function encodeSubscription(sealed: Subscription): Buffer {
  const parsed = parseAs(sealedSchema, sealed);
  if (!parsed.ok) throw new TypeError(`not a sealed subscription: ${formatIssues(parsed.issues)}`);
  return Buffer.from(JSON.stringify(parsed.subscription));
}

/** Reads a record of the subscriptions topic. Its secrets stay sealed. */
export function decodeSubscription(customer: string, value: Buffer): ParsedSubscription {
  let json: unknown;
  try {
    json = JSON.parse(value.toString('utf8'));
  } catch {
    return { ok: false, issues: [{ path: [], message: 'is not JSON' }] };
  }
  const parsed = parseAs(sealedSchema, json);
  if (parsed.ok && parsed.subscription.customer !== customer) {
    return { ok: false, issues: [{ path: ['customer'], message: `stands under the key ${customer}` }] };
  }
  return parsed;
}

/** The part of a subscription that decides which events the customer gets. */
export type Interest = Pick<Subscription, 'eventTypes' | 'match'>;

/** All else is left aside: a kind of destination that only newer services know must not cost the customer its events. */
const interestSchema = z.object({
  eventTypes: z.array(z.string()),
  match: z
    .object({
      company: z.array(z.string()).optional(),
      organisation: z.array(z.string()).optional(),
      folder: z.array(z.string()).optional(),
    })
    .default({}),
});

/** Reads of a record of the subscriptions topic what routing needs. @returns `undefined` if it does not even hold that */
export function decodeInterest(value: Buffer): Interest | undefined {
  try {
    const parsed = interestSchema.safeParse(JSON.parse(value.toString('utf8')));
    return parsed.success ? (JSON.parse(JSON.stringify(parsed.data)) as Interest) : undefined;
  } catch {
    return undefined;
  }
}

/** All issues in one line: `destination.url is not a URL; …`. */
export function formatIssues(issues: readonly SubscriptionIssue[]): string {
  return issues.map(({ path, message }) => `${path.join('.') || 'subscription'} ${message}`).join('; ');
}

/** Whether what stands there is a secret: the places that {@link mapSecrets} visits, in a subscription or not yet one. */
export function isSecretPath(path: readonly (string | number)[]): boolean {
  return SECRET_PATHS.test(path.join('.'));
}
const SECRET_PATHS = /^(authentication\.(password|key)|signing\.secrets\.\d+)$/;

/** The same subscription with every secret mapped. `path` names the secret's place, such as `authentication.key`. */
export function mapSecrets<A, B>(subscription: Subscription<A>, map: (secret: A, path: string) => B): Subscription<B> {
  const { authentication, signing, ...rest } = subscription;
  return {
    ...rest,
    authentication: mapAuthentication(authentication, map),
    ...(signing && {
      signing: { secrets: signing.secrets.map((secret, index) => map(secret, `signing.secrets.${index}`)) },
    }),
  };
}

function mapAuthentication<A, B>(
  authentication: Authentication<A>,
  map: (secret: A, path: string) => B,
): Authentication<B> {
  switch (authentication.type) {
    case 'none':
      return authentication;
    case 'basic':
      return { ...authentication, password: map(authentication.password, 'authentication.password') };
    case 'api-key':
      return { ...authentication, key: map(authentication.key, 'authentication.key') };
  }
}

/** {@link mapSecrets} for a mapping that takes time, as sealing does. */
export async function mapSecretsAsync<A, B>(
  subscription: Subscription<A>,
  map: (secret: A, path: string) => Promise<B>,
): Promise<Subscription<B>> {
  const mapped = new Map<string, B>();
  const pending: Promise<unknown>[] = [];
  mapSecrets(subscription, (secret, path) => {
    pending.push(map(secret, path).then((result) => mapped.set(path, result)));
  });
  await Promise.all(pending);
  return mapSecrets(subscription, (_secret, path) => mapped.get(path) as B);
}
