/** The inputs and outputs of the API: these schemas validate them, and the OpenAPI document is made from them. */

import { ATTEMPT_OUTCOMES } from '@databridge/schemas/records/attempts';
import { HOLD_REASONS } from '@databridge/schemas/records/status';
import { CUSTOMER_PATTERN } from '@databridge/schemas/records/topics';
import { ceilingsOf } from '@databridge/schemas/rights/ceilings';
import { FIELD_RIGHTS, type FieldRight, fieldRight } from '@databridge/schemas/rights/field-rights';
import { mapSecrets, SECRET_MASK } from '@databridge/schemas/subscription/secret-places';
import {
  type Subscription,
  shownSubscriptionSchema,
  subscriptionSchema,
} from '@databridge/schemas/subscription/subscription';
import { z } from 'zod';
import { CHECKS } from '../../doctor/finding.ts';
import { EVENT_FATES } from '../../views/reconcile.ts';
import { pointedMisfit } from '../problem.ts';

export const customerParams = z.object({
  customer: z.string().regex(CUSTOMER_PATTERN, 'must be 1 to 63 of a-z, 0-9 and -'),
});

/** The customer is in the path; only resuming and enabling raise the epoch. Each field states its owner. */
export const subscriptionBody = withOwners(
  subscriptionSchema.omit({ customer: true, enableEpoch: true }).extend({
    state: subscriptionSchema.shape.state.removeDefault().optional(),
  }),
).meta({ id: 'NewSubscription' });

/** @throws {Error} for a field that field-rights.ts does not list */
function withOwners<Shape extends z.ZodRawShape>(schema: z.ZodObject<Shape>): z.ZodObject<Shape> {
  const described = Object.entries(schema.shape).map(([name, field]) => {
    const right = fieldRight([name]);
    if (right === undefined) throw new Error(`no row for ${name} in schemas/src/rights/field-rights.ts`);
    const inner = Object.entries<FieldRight>(FIELD_RIGHTS).filter(([path]) => path.startsWith(`${name}.`));
    const others = inner.map(([path, { owner, rule }]) => ` ${path} belongs to ${owner}: ${rule}`).join('');
    return [name, (field as z.ZodType).meta({ 'x-owner': right.owner, description: `${right.rule}${others}` })];
  });
  return z.strictObject(Object.fromEntries(described)) as unknown as z.ZodObject<Shape>;
}

/** Secrets are accepted and never returned: each place only shows that there is one. */
export const subscriptionAnswer = shownSubscriptionSchema
  .extend({
    awaitsApproval: z
      .literal(true)
      .optional()
      .describe('why it is paused: no operator has approved it; it receives test events only'),
  })
  .describe('The subscription as it was written, secrets as "[secret]"')
  .meta({ id: 'Subscription' });

export const listedSubscription = subscriptionAnswer
  .extend({
    effectiveState: z
      .enum(['active', 'paused', 'disabled'])
      .describe('`state` is what was asked for; a worker may have disabled the customer since'),
  })
  .meta({ id: 'ListedSubscription' });

/** Compact JWE, which only delivery workers can open. */
export const sealedSecret = z
  .string()
  .max(131_072)
  .regex(/^[\w-]+(\.[\w-]*){4}$/, 'must be a compact JWE');

/**
 * The subscription was saved nevertheless: for example, a name does not resolve today, or a certificate expires soon.
 */
export const savedAnswer = subscriptionAnswer
  .extend({ warnings: z.array(pointedMisfit).describe('the change is saved, but these may keep events waiting') })
  .meta({ id: 'SavedSubscription' });

/** As answers show it: the fields that `PUT` accepts, and those that Databridge itself adds. */
export function masked(subscription: Subscription): z.infer<typeof subscriptionAnswer> {
  return { ...written(subscription), ceilings: ceilingsOf(subscription) };
}

/**
 * The subscription as it was written, with secrets masked. The control plane's own data about secrets and rights have
 * separate routes.
 */
export function written(subscription: Subscription): z.infer<typeof subscriptionAnswer> {
  const {
    secretsSetAt: _,
    fallbacks: __,
    granted: ___,
    awaitsApproval: ____,
    ...shown
  } = mapSecrets(subscription, () => SECRET_MASK);
  // The schema has lists that may be changed; these are the stored ones.
  const answer = shown as unknown as z.infer<typeof subscriptionAnswer>;
  return subscription.awaitsApproval === true ? { ...answer, awaitsApproval: true } : answer;
}

export const page = z.object({
  limit: z.coerce.number().int().min(1).max(1_000).default(100),
  cursor: z.string().max(200).optional().describe('`next` of the page before'),
});

/** For short ids that people type. */
export const idPrefix = z.string().min(1).max(600).optional().describe('only those whose id begins with this text');

export const stateChange = z
  .object({ customer: z.string(), before: z.string(), after: z.string() })
  .meta({ id: 'StateChange' });

const time = z.iso.datetime({ offset: true });

interface Ends {
  readonly from?: string | undefined;
  readonly to?: string | undefined;
}

/** Otherwise swapped bounds would select nothing, without a message. */
export const ascending: [(ends: Ends) => boolean, { path: string[]; error: string }] = [
  ({ from, to }) => from === undefined || to === undefined || Date.parse(from) < Date.parse(to),
  { path: ['to'], error: 'must be later than from' },
];

export const deletion = z.object({
  customer: z.string(),
  waiting: z.object({ events: z.int(), deadLetters: z.int() }),
  topics: z.enum(['removed', 'kept']),
});

export const rewindBody = z.strictObject({
  to: z.union([z.object({ time }).strict(), z.object({ offset: z.int().min(0) }).strict(), z.literal('earliest')]),
  dryRun: z.boolean().default(false),
  maySkip: z
    .boolean()
    .default(false)
    .describe('the target may be after the current offset: the events between them are never delivered'),
});

export const rewindAnswer = z
  .object({
    customer: z.string(),
    partitions: z.array(z.object({ partition: z.int(), from: z.int(), to: z.int() })),
    again: z.int(),
    firstAtMs: z.number().optional(),
    lastAtMs: z.number().optional(),
    deleted: z.int(),
    waitingInRetry: z.int(),
    skipped: z.int(),
  })
  .meta({ id: 'Rewind' });

export const redeliveryBody = z.union([
  z.object({ eventId: z.string().min(1).max(128), dryRun: z.boolean().default(false) }).strict(),
  z
    .object({ from: time.optional(), to: time.optional(), dryRun: z.boolean().default(false) })
    .strict()
    .refine(...ascending),
]);
export const redeliveryAnswer = z.object({
  customer: z.string(),
  replayId: z.string().optional().describe('absent in a dry run'),
  events: z.int(),
});

export const lettersBody = z
  .strictObject({
    reasons: z.array(z.string()).min(1).optional(),
    ids: z.array(z.string()).min(1).max(1_000).optional(),
    dryRun: z.boolean().default(false).describe('only count'),
  })
  .meta({ id: 'Letters' });
export const takenOut = z.object({ taken: z.int(), stayed: z.int() });
export const letterCount = z
  .object({ chosen: z.int(), byReason: z.record(z.string(), z.int()) })
  .meta({ id: 'LetterCount' });

export const filterOf = ({ reasons, ids }: Pick<z.infer<typeof lettersBody>, 'reasons' | 'ids'>) => ({
  ...(reasons !== undefined && { reasons }),
  ...(ids !== undefined && { keys: ids }),
});

export const deadLetter = z.object({
  id: z.string(),
  eventId: z.string(),
  eventType: z.string(),
  reason: z.string(),
  detail: z.string().optional(),
  attempts: z.int(),
  at: z.number().describe('ms since the epoch'),
  source: z.string().optional(),
});

export const statusAnswer = z
  .object({
    customer: z.string(),
    state: z.enum(['active', 'paused', 'disabled']),
    awaitsApproval: z
      .literal(true)
      .optional()
      .describe('the reason for the pause: an operator has to approve what the customer stated by an invitation'),
    disabledBy: z.enum(['operator', 'worker']).optional(),
    runBy: z
      .string()
      .optional()
      .describe('the live worker that runs it; absent for an active customer: no worker does'),
    failing: z.string().optional().describe("why its worker can't run it"),
    matchesEveryCompany: z.literal(true).optional(),
    worker: z
      .object({
        customer: z.string(),
        worker: z.string().describe('that wrote it'),
        at: z.number().describe('when the worker wrote it, ms since the epoch'),
        breaker: z.enum(['closed', 'open', 'half-open']),
        disabledEpoch: z.int().optional().describe('the `enableEpoch` under which it disabled the customer'),
        disabledBecause: z.string().optional(),
        waitUntilMs: z.number().optional().describe('the destination asked to wait until this time'),
        held: z.object({ because: z.enum(HOLD_REASONS), sinceMs: z.number(), detail: z.string() }).optional(),
        lastSuccessAtMs: z.number().optional(),
        committed: z
          .array(z.object({ topic: z.string(), partition: z.int(), offset: z.int(), metadata: z.string() }))
          .optional()
          .describe("its group's offsets when the worker wrote it"),
      })
      .optional()
      .describe('what its worker found'),
    lastSuccessAtMs: z
      .number()
      .optional()
      .describe('when a delivery last succeeded: by the record of its worker, or by the attempts of 24 hours'),
    oldestWaiting: z
      .object({
        eventId: z.string(),
        firstAtMs: z.number().describe('when its attempts began'),
        attempts: z.int(),
      })
      .optional()
      .describe('of the events that were attempted and are neither delivered nor given up'),
    budget: z
      .object({ maxAttempts: z.int(), windowMs: z.int() })
      .describe('how often and for how long an event is attempted'),
    disablesAtMs: z.number().optional().describe('the customer is disabled then, unless a delivery succeeds before'),
    invalidFilter: z
      .string()
      .optional()
      .describe(
        'why the stored filter cannot be used; until it is replaced, the customer gets every event that `match` lets through',
      ),
    lagByLane: z.record(z.string(), z.int()),
    deadRecords: z.int(),
    attempts: z.record(z.string(), z.int()),
  })
  .meta({ id: 'Status' });

export const workersAnswer = z
  .object({
    items: z.array(
      z.object({
        worker: z.string(),
        version: z.string(),
        startedAtMs: z.number().describe("ms since the epoch, by the worker's clock"),
        isAlive: z.boolean().describe('false: three reports in a row are missing'),
        hasNamesake: z.boolean().describe('two workers have this name: their reports overwrite each other'),
        silentForMs: z.int().describe('since its last report'),
        customers: z.array(z.string()).describe('that it runs'),
        partitions: z.array(z.int()).describe('of the subscriptions topic that it owns'),
        failing: z
          .array(z.object({ customer: z.string(), because: z.string() }))
          .describe('owned by the worker, but reconciling the customer failed'),
      }),
    ),
    unattended: z.array(z.string()).describe('active customers that no live worker runs'),
  })
  .meta({ id: 'Workers' });

export const intakeAnswer = z
  .object({
    unmatched: z.int().describe('intake records that left no copy: no subscription matched, or filters excluded all'),
    filtered: z.int().describe("copies that were not made because a customer's content filter excluded the event"),
    sinceMs: z.number().optional().describe('when counting began; absent: fan-out has not committed yet'),
  })
  .meta({ id: 'Intake' });

export const doctorAnswer = z
  .object({
    isHealthy: z.boolean().describe('no check found a fault'),
    findings: z.array(
      z.object({
        check: z.enum(CHECKS),
        verdict: z.enum(['ok', 'fault', 'unknown']).describe('unknown: it could not be checked'),
        detail: z.string(),
        advice: z.string().optional().describe('what to do about it'),
      }),
    ),
  })
  .meta({ id: 'Examination' });

export const attemptOutcome = z.enum([...ATTEMPT_OUTCOMES, 'skipped']).meta({ id: 'AttemptOutcome' });

/** No further properties: shownTo omits what its reader may not see, and there is nothing else in it. */
export const attemptAnswer = z
  .object({
    eventId: z.string(),
    replayId: z.string().optional(),
    source: z.string().optional().describe('where the event stood at the intake'),
    attempt: z.int().describe('1 for the first, since the customer was last enabled'),
    at: z.number().describe('when it began, ms since the epoch'),
    durationMs: z.number(),
    outcome: attemptOutcome,
    status: z.int().optional().describe("HTTP's, if there was an answer"),
    error: z.string().optional(),
    operatorDetail: z.string().optional().describe('for operators'),
    note: z.string().optional(),
    answer: z.string().optional().describe('the beginning of what the destination answered'),
    lane: z.string(),
    test: z.literal(true).optional(),
  })
  .meta({ id: 'Attempt' });

export const listedAttempt = attemptAnswer
  .extend({ id: z.string().describe('its place in the attempt log, the same at every control plane') })
  .meta({ id: 'ListedAttempt' });

export const rangeQuery = z.object({ from: time.optional(), to: time.optional() });

export const reconciliationAnswer = z
  .object({
    customer: z.string(),
    range: z
      .object({ fromMs: z.number().optional(), toMs: z.number().optional() })
      .describe('of the time when fan-out wrote the events'),
    written: z.int().describe('events'),
    writtenRecords: z.int().describe('records of the main lane, repeats included'),
    delivered: z.int(),
    waiting: z.int(),
    waitingByLane: z.record(z.string(), z.int()),
    dead: z.int(),
    deadByReason: z.record(z.string(), z.int()),
    removed: z.int(),
    skipped: z.int(),
    erased: z.int().describe('erased, with all copies'),
    settled: z.int().describe('done before the attempt log begins'),
    replays: z.int().describe('copies of redeliveries and redrives'),
    deliveredAgain: z.int().describe('accepted more than once'),
    events: z.record(z.string(), z.enum(EVENT_FATES)).optional().describe('by `<event id>@<source>`, if asked for'),
    unaccounted: z.array(
      z.object({
        eventId: z.string(),
        source: z.string().optional(),
        replayId: z.string().optional().describe('of a lost replay'),
      }),
    ),
  })
  .meta({ id: 'Reconciliation' });
