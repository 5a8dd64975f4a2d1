/**
 * The subscription of a customer: its form, and its encoding in the subscriptions topic. Its filter and sections are checked
 * by subscription.ts: that takes the schemas of all event types, which the command line loads only for files that need them.
 */
import { z } from 'zod';
import { type Destination, destinationSchema } from '../destination/destinations.ts';
import { type Retention, retentionSchema } from '../privacy/retention.ts';
import { CUSTOMER_PATTERN } from '../records/topics.ts';
import { type Ceilings, RATE_RANGE } from '../rights/ceilings.ts';
import { type Authentication, authenticationSchema, type SecretRules } from './authentication.ts';
import { type Issue, inWords, issuesOf } from './issue-words.ts';
import { reservedHeaderIssues } from './reserved-headers.ts';
import { type DeclaredMatch, declaredMatch, EVERYTHING, type Interest, type Match, storedMatch } from './routing.ts';
import { SECRET_RULES, type SecretRule } from './secret-rules.ts';
import { MAX_FILTER_CHARS, sizeIssues } from './size-limits.ts';
import { misfits } from './subscription-misfits.ts';
import { plainClientKey, type Tls, tlsSchema } from './tls-identity.ts';

/**
 * `S` is the form in which secrets are held: text as a person wrote it, sealed text (JWE), or a type that does not
 * print. `mapSecrets` of secret-places.ts goes from one to the other.
 */
export interface Subscription<S = string> {
  readonly customer: string;
  /** The names of the event types. */
  readonly eventTypes: readonly string[];
  /**
   * Exact strings, case-sensitive. The companies, or `everything`, must be stated; other fields that are omitted match
   * anything.
   */
  readonly match: DeclaredMatch;
  /**
   * A CEL expression over the event's fields: of the events that match, only those for which it is true are delivered.
   */
  readonly filter?: string;
  /**
   * The sections of an event that the customer gets; if omitted, all. Parts that are not sections are always present.
   */
  readonly sections?: readonly string[];
  readonly destination: Destination;
  readonly authentication: Authentication<S>;
  /** For HTTP and API Gateway, and the token endpoint: a client certificate, a private authority. */
  readonly tls?: Tls<S>;
  /** If omitted, the destination sets the pace. It may be a fraction: 0.5 is one event every two seconds. See {@link RATE_RANGE}. */
  readonly ratePerSecond?: number;
  readonly maxInFlight: number;
  /**
   * After an outage new events are sent at once, and the backlog besides them. If omitted, all are sent in the order of
   * their intake. `backlogShare`: the share of the deliveries that backlog and retries get while there are new events,
   * 0.05 to 0.95.
   */
  readonly freshFirst?: { readonly backlogShare: number };
  /**
   * The limits up to which the customer may raise rate and concurrency itself; {@link ceilingsOf} has the defaults of
   * omitted fields.
   */
  readonly ceilings?: Partial<Ceilings>;
  /** The time for which its events are kept; {@link DEFAULT_RETENTION} has the days of omitted fields. */
  readonly retention?: Partial<Retention>;
  /** Two secrets during a rotation: `whsec_…` signs symmetrically (v1), `whsk_…` by Ed25519 (v1a). */
  readonly signing?: { readonly secrets: readonly S[] };
  /** The state that the operator wants. The status record has the state that the worker observed. */
  readonly state: 'active' | 'paused' | 'disabled';
  /** Raised by each enabling and resuming. The customer is disabled while its status record has the same epoch. */
  readonly enableEpoch: number;
  /**
   * When the secret of each place was set, in ms since the epoch. The control plane maintains it; people do not write
   * it.
   */
  readonly secretsSetAt?: Readonly<Record<string, number>>;
  /**
   * The previous secret of each place, which is used if the destination does not accept the new one yet. People do not
   * write it.
   */
  readonly fallbacks?: Readonly<Record<string, Fallback<S>>>;
  /**
   * True if a customer entered it by an invitation, and no operator has approved it: it is paused, or disabled, and gets
   * test events only.
   */
  readonly awaitsApproval?: true;
  /**
   * The settings of an operator, while the customer narrows them. The control plane maintains it; people do not write
   * it.
   */
  readonly granted?: Granted;
}

/** Absent means: no limit. */
export interface Granted {
  readonly filter?: string;
  readonly sections?: readonly string[];
}

export interface Fallback<S = string> {
  readonly secret: S;
  /** The time in ms since the epoch. */
  readonly untilMs: number;
}

export type SubscriptionIssue = Issue;

export type ParsedSubscription =
  | { readonly ok: true; readonly subscription: Subscription }
  | { readonly ok: false; readonly issues: SubscriptionIssue[]; readonly sound?: SoundPart };

/** The parts of a subscription with mistakes that can be checked further, so that all mistakes are reported at once. */
export interface SoundPart {
  /** The subscription with a harmless value in place of each field that has a mistake. */
  readonly subscription: Subscription;
  /** The names of those fields: further mistakes in them are meaningless. */
  readonly replaced: ReadonlySet<string>;
}

const values = (what: string) => z.array(z.string().min(1, 'must not be empty')).min(1, what);
const wanted = values('needs at least one value; leave it out to match anything');
const NAME_COMPANIES = 'every subscription names its companies, as match.company, or says "match: everything"';
const companies = z.union([values(`needs at least one company: ${NAME_COMPANIES}`), z.literal(EVERYTHING)], {
  error: ({ input }) => {
    if (input === undefined) return `is missing: ${NAME_COMPANIES}`;
    return Array.isArray(input) ? undefined : 'must be a list of companies, or "everything"';
  },
});

/** A new subscription must state the companies: an omitted line must not disclose the events of all companies. */
const declaredMatchSchema = z.union(
  [
    z.literal(EVERYTHING),
    z.strictObject({ company: companies, organisation: wanted.optional(), folder: wanted.optional() }),
  ],
  {
    error: ({ input }) => {
      if (input === undefined || input === null) return `is missing: ${NAME_COMPANIES}`;
      return typeof input === 'object' && !Array.isArray(input) ? undefined : `must be a map: ${NAME_COMPANIES}`;
    },
  },
);

/** The stored form, where an omitted field has always meant any value. */
const storedMatchSchema = z
  .strictObject({ company: wanted.optional(), organisation: wanted.optional(), folder: wanted.optional() })
  .default({});

const statedRate = z.number().min(RATE_RANGE.min).max(RATE_RANGE.max);
/** Earlier versions stored any. */
const storedRate = z.number().positive().max(RATE_RANGE.max);
const inFlight = z.int().min(1).max(10_000);

/** The parts that do not depend on the form of secrets. */
function subscriptionShape(secret: SecretRules & { clientKey: z.ZodString; signing: z.ZodString }, rate: z.ZodNumber) {
  return z.strictObject({
    customer: z.string().regex(CUSTOMER_PATTERN, 'must be 1 to 63 of a-z, 0-9 and -'),
    eventTypes: z
      .array(z.string().min(1))
      .min(1, 'needs at least one event type')
      .refine((types) => new Set(types).size === types.length, 'names an event type twice'),
    match: declaredMatchSchema,
    filter: z.string().min(1).max(MAX_FILTER_CHARS).optional(),
    sections: z
      .array(z.string().min(1))
      .min(1, 'needs at least one section; leave it out to get all')
      .refine((sections) => new Set(sections).size === sections.length, 'names a section twice')
      .optional(),
    destination: destinationSchema,
    authentication: authenticationSchema(secret),
    tls: tlsSchema(secret.clientKey),
    ratePerSecond: rate.optional(),
    maxInFlight: inFlight.default(64),
    freshFirst: z.strictObject({ backlogShare: z.number().min(0.05).max(0.95).default(0.2) }).optional(),
    ceilings: z.strictObject({ ratePerSecond: rate.optional(), maxInFlight: inFlight.optional() }).optional(),
    retention: retentionSchema.optional(),
    signing: z.strictObject({ secrets: z.array(secret.signing).min(1).max(2) }).optional(),
    state: z.enum(['active', 'paused', 'disabled']).default('active'),
    enableEpoch: z.int().min(0).default(0),
  });
}

const ruled = ({ pattern, message }: SecretRule) => z.string().regex(pattern, message);

/** A secret as a person writes it, or the mask of the stored one. No message may quote a secret. */
const plainRules = {
  password: ruled(SECRET_RULES.password),
  key: ruled(SECRET_RULES.key),
  clientSecret: ruled(SECRET_RULES.clientSecret),
  parameter: ruled(SECRET_RULES.parameter),
  secretAccessKey: ruled(SECRET_RULES.secretAccessKey),
  clientKey: plainClientKey,
  signing: ruled(SECRET_RULES.signing),
};
const plainSchema = subscriptionShape(plainRules, statedRate);

const JWE = z.string().regex(/^[\w-]+\.[\w-]*\.[\w-]+\.[\w-]+\.[\w-]+$/, 'is not sealed');
const sealedRules = {
  ...{ password: JWE, key: JWE, clientSecret: JWE, parameter: JWE },
  ...{ secretAccessKey: JWE, clientKey: JWE, signing: JWE },
};
/** The stored form: a secret that is not sealed is refused, when written and when read. */
const sealedSchema = subscriptionShape(sealedRules, storedRate).extend({
  secretsSetAt: z.record(z.string(), z.number()).optional(),
  fallbacks: z.record(z.string(), z.strictObject({ secret: JWE, untilMs: z.number() })).optional(),
  match: storedMatchSchema,
  awaitsApproval: z.literal(true).optional(),
  granted: z.strictObject({ filter: z.string().optional(), sections: z.array(z.string()).optional() }).optional(),
});

type Parsed<T> = { readonly ok: true; readonly subscription: T } | { readonly ok: false; readonly issues: Issue[] };
type Stored = Omit<Subscription, 'match'> & { readonly match: Match };

function parseAs<T>(schema: typeof plainSchema | typeof sealedSchema, value: unknown): Parsed<T> {
  const parsed = schema.safeParse(value, { error: inWords });
  const issues = parsed.success ? [] : issuesOf(parsed.error);
  const places = new Set(issues.map(({ path }) => path.join('.')));
  issues.push(...misfits(value).filter(({ path }) => !places.has(path.join('.'))));
  if (parsed.success && issues.length === 0) return { ok: true, subscription: withoutUndefined<T>(parsed.data) };
  return { ok: false, issues };
}

/** zod keeps optional keys that were given as `undefined`; here, they are removed. */
function withoutUndefined<T>(parsed: z.output<typeof plainSchema | typeof sealedSchema>): T {
  return JSON.parse(JSON.stringify(parsed)) as T;
}

/** The schema of what people write, for descriptions: `parseSubscription` checks by it, and more. */
export const subscriptionSchema = plainSchema;

const MASKED = z.string().regex(/^\[secret\]$/);
const maskedRules = {
  ...{ password: MASKED, key: MASKED, clientSecret: MASKED, parameter: MASKED },
  ...{ secretAccessKey: MASKED, clientKey: MASKED, signing: MASKED },
};
const maskedShape = subscriptionShape(maskedRules, storedRate);

/** The schema of a stored subscription as answers show it. Its certificates were checked when they were saved. */
export const shownSubscriptionSchema = maskedShape.extend({
  match: maskedShape.shape.match.meta({ id: 'Match' }),
  retention: maskedShape.shape.retention.meta({ id: 'Retention' }),
  signing: maskedShape.shape.signing.meta({ id: 'Signing' }),
  ceilings: maskedShape.shape.ceilings.meta({ id: 'Ceilings' }),
  destination: destinationSchema.meta({ id: 'Destination' }),
  authentication: maskedShape.shape.authentication.meta({ id: 'Authentication' }),
  tls: z
    .strictObject({ clientCertificate: z.string().optional(), clientKey: MASKED.optional(), ca: z.string().optional() })
    .optional(),
  awaitsApproval: z.literal(true).optional(),
});

/** Finds the mistakes in a filter and in sections, which are about the content of events. */
export type ContentCheck = (subscription: Pick<Subscription, 'eventTypes' | 'filter' | 'sections'>) => Issue[];

/** For what has neither filter nor sections. */
export const noContent: ContentCheck = () => [];

/** As `parseSubscription` of subscription.ts, with the check of the content as given. */
export function parseSubscriptionForm(value: unknown, contentOf: ContentCheck): ParsedSubscription {
  const parsed = parseAs<Subscription>(plainSchema, value);
  const sound = parsed.ok ? { subscription: parsed.subscription, replaced: new Set<string>() } : soundOf(value, parsed);
  const issues = [...(parsed.ok ? [] : parsed.issues), ...(sound === undefined ? [] : furtherIssues(sound, contentOf))];
  if (parsed.ok && issues.length === 0) return parsed;
  return { ok: false, issues, ...(sound !== undefined && { sound }) };
}

/** Stored subscriptions are not checked for it: a rule of a newer version must not stop a customer. */
function furtherIssues({ subscription, replaced }: SoundPart, contentOf: ContentCheck): Issue[] {
  const found = [...contentOf(subscription), ...reservedHeaderIssues(subscription), ...sizeIssues(subscription)];
  return found.filter(({ path }) => !replaced.has(String(path[0])));
}

/** Replaces the fields that a subscription needs. */
const HARMLESS = {
  customer: 'x',
  eventTypes: ['root-cause'],
  match: EVERYTHING,
  destination: { type: 'http', url: 'https://destination.example/' },
};

/** @returns undefined if the rest is not valid by itself */
function soundOf(value: unknown, { issues }: { readonly issues: readonly Issue[] }): SoundPart | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  const replaced = new Set(issues.map(({ path }) => String(path[0])));
  // The mistake of one of them may be that it contradicts the other.
  if (replaced.has('authentication')) replaced.add('destination');
  if (replaced.has('destination')) replaced.add('authentication').add('tls').add('signing');
  // Both are checked against the event types that they concern.
  if (replaced.has('eventTypes')) replaced.add('filter').add('sections');
  const kept = Object.entries(value).filter(([name]) => !replaced.has(name));
  const parsed = parseAs<Subscription>(plainSchema, { ...HARMLESS, ...Object.fromEntries(kept) });
  return parsed.ok ? { subscription: parsed.subscription, replaced } : undefined;
}

/**
 * The value of a record in the subscriptions topic.
 * @throws {TypeError} if a secret is not sealed, or the subscription is not valid, which is a bug of the caller
 */
export function encodeSubscription(sealed: Subscription): Buffer {
  if (sealed.awaitsApproval === true && sealed.state === 'active') {
    throw new TypeError(`customer "${sealed.customer}" awaits approval and can't be active`);
  }
  const parsed = parseAs<Stored>(sealedSchema, { ...sealed, match: storedMatch(sealed.match) });
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
  const parsed = parseAs<Stored>(sealedSchema, json);
  if (!parsed.ok) return parsed;
  const { subscription } = parsed;
  if (subscription.customer !== customer) {
    return { ok: false, issues: [{ path: ['customer'], message: `is stored under the key ${customer}` }] };
  }
  return { ok: true, subscription: { ...unlessApproved(subscription), match: declaredMatch(subscription.match) } };
}

/** Earlier versions stored what awaited approval as active. */
function unlessApproved(stored: Stored): Stored {
  return stored.awaitsApproval === true && stored.state === 'active' ? { ...stored, state: 'paused' } : stored;
}

/**
 * All other fields are ignored: a kind of destination that only newer services know must not cost the customer its
 * events.
 */
const interestSchema = z.object({
  eventTypes: z.array(z.string()),
  match: z
    .object({
      company: z.array(z.string()).optional(),
      organisation: z.array(z.string()).optional(),
      folder: z.array(z.string()).optional(),
    })
    .default({}),
  // A value that is not a text counts as no filter: too many events are better than none.
  filter: z.string().optional().catch(undefined),
  granted: z.object({ filter: z.string().optional() }).optional().catch(undefined),
  awaitsApproval: z.literal(true).optional().catch(undefined),
});

/**
 * Reads the fields that routing needs from a record of the subscriptions topic.
 * @returns `undefined` if it lacks even those
 */
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
