/** Derives notices from the current conditions and the earlier notices. Pure. */
import type { Condition, NoticeKind, Severity } from './conditions.ts';

/** The last notice of a condition; kept until its end was announced. */
export interface Told {
  readonly kind: NoticeKind;
  readonly customer?: string;
  readonly sinceMs: number;
  readonly level: number;
  readonly toldAtMs: number;
}

export interface Notice {
  readonly noticeId: string;
  /** The customer's name, or `operators`. */
  readonly company: string;
  readonly kind: NoticeKind;
  readonly state: 'raised' | 'resolved';
  readonly severity: Severity;
  readonly sinceMs: number;
  readonly atMs: number;
  readonly text: string;
  /** At most {@link MAX_NAMED} of them. */
  readonly customers: readonly string[];
  readonly customerCount: number;
}

export interface Announcement {
  readonly notices: readonly Notice[];
  /** The records to keep, by key; undefined: to delete. */
  readonly told: ReadonlyMap<string, Told | undefined>;
}

/** The recipient of notices that concern no single customer. */
const OPERATORS = 'operators';
/** If at least this many customers have the same condition at a check, operators get one notice for all of them. */
const GROUPED_FROM = 5;
const MAX_NAMED = 100;
/** The time that a condition must last before it is announced, so that a handover to another worker causes no notice. */
const SETTLED_AFTER_MS: Partial<Record<NoticeKind, number>> = { 'not-running': 60_000 };
/** A rising level is announced again, but not more often than this. */
const AGAIN_AFTER_MS: Partial<Record<NoticeKind, number>> = { 'dead-letters': 3_600_000, quarantine: 3_600_000 };

function keyOf({ kind, customer }: Pick<Condition, 'kind' | 'customer'>): string {
  return `${customer ?? OPERATORS}/${kind}`;
}

/**
 * Remembers since when conditions last, and tells of them once.
 *
 * @param firstSeen by key, when a condition was first seen in this run; changed: what is gone is removed
 * @returns notices for the customers themselves, and for operators, who get those of many customers as one
 */
export function announce(
  conditions: readonly Condition[],
  told: ReadonlyMap<string, Told>,
  firstSeen: Map<string, number>,
  nowMs: number,
): Announcement {
  const now = new Map(conditions.map((condition) => [keyOf(condition), condition] as const));
  for (const key of firstSeen.keys()) if (!now.has(key)) firstSeen.delete(key);
  const changes = new Map<string, Told | undefined>();
  const raised: Condition[] = [];
  for (const [key, condition] of now) {
    const seenMs = firstSeen.get(key) ?? nowMs;
    firstSeen.set(key, seenMs);
    if (!isNews(condition, told.get(key), seenMs, nowMs)) continue;
    const { kind, customer, level } = condition;
    const sinceMs = told.get(key)?.sinceMs ?? condition.sinceMs;
    changes.set(key, { kind, ...(customer !== undefined && { customer }), sinceMs, level, toldAtMs: nowMs });
    raised.push({ ...condition, sinceMs });
  }
  const resolved: Told[] = [];
  for (const [key, before] of told) {
    if (now.has(key)) continue;
    changes.set(key, undefined);
    if (!NEVER_RESOLVED.has(before.kind)) resolved.push(before);
  }
  return { notices: [...noticesOf(raised, nowMs), ...resolutionsOf(resolved, nowMs)], told: changes };
}

function isNews(condition: Condition, before: Told | undefined, seenMs: number, nowMs: number): boolean {
  if (before === undefined) return nowMs - seenMs >= (SETTLED_AFTER_MS[condition.kind] ?? 0);
  return condition.level > before.level && nowMs - before.toldAtMs >= (AGAIN_AFTER_MS[condition.kind] ?? 0);
}

function noticesOf(raised: readonly Condition[], nowMs: number): Notice[] {
  const own = raised.map((condition): Notice => {
    const { customer } = condition;
    return {
      ...{ noticeId: keyOf(condition), company: customer ?? OPERATORS, kind: condition.kind, state: 'raised' },
      ...{ severity: condition.severity, sinceMs: condition.sinceMs, atMs: nowMs, text: condition.text },
      ...{ customers: customer === undefined ? [] : [customer], customerCount: customer === undefined ? 0 : 1 },
    };
  });
  return [...own, ...forOperators(own, nowMs)];
}

function resolutionsOf(resolved: readonly Told[], nowMs: number): Notice[] {
  const own = resolved.map((before): Notice => {
    const { kind, customer, sinceMs } = before;
    return {
      ...{ noticeId: keyOf(before), company: customer ?? OPERATORS, kind, state: 'resolved' },
      ...{ severity: 'information', sinceMs, atMs: nowMs, text: resolvedText(kind, customer) },
      ...{ customers: customer === undefined ? [] : [customer], customerCount: customer === undefined ? 0 : 1 },
    };
  });
  return [...own, ...forOperators(own, nowMs)];
}

/** Operators get a notice for each customer, or one for many customers that may have a common cause. */
function forOperators(notices: readonly Notice[], nowMs: number): Notice[] {
  const byKind = Map.groupBy(
    notices.filter(({ company }) => company !== OPERATORS),
    ({ kind }) => kind,
  );
  return [...byKind].flatMap(([kind, some]): Notice[] => {
    if (some.length < GROUPED_FROM) return some.map((notice) => ({ ...notice, company: OPERATORS }));
    const names = some.flatMap(({ customers }) => customers).sort();
    const [first] = some as [Notice, ...Notice[]];
    const what = first.state === 'raised' ? KIND_TEXT[kind] : `no longer: ${KIND_TEXT[kind]}`;
    const more = names.length > MAX_NAMED ? `, and ${names.length - MAX_NAMED} more` : '';
    return [
      {
        ...first,
        ...{ noticeId: `${OPERATORS}/many/${kind}`, company: OPERATORS, atMs: nowMs },
        sinceMs: Math.min(...some.map(({ sinceMs }) => sinceMs)),
        text: `${names.length} customers at the same time, ${what}: ${names.slice(0, MAX_NAMED).join(', ')}${more}.`,
        ...{ customers: names.slice(0, MAX_NAMED), customerCount: names.length },
      },
    ];
  });
}

/** An event rather than a state: it does not end. */
const NEVER_RESOLVED: ReadonlySet<NoticeKind> = new Set(['invitation']);

const KIND_TEXT: Readonly<Record<NoticeKind, string>> = {
  disabled: 'deliveries are disabled',
  held: 'deliveries are held',
  behind: 'nothing is delivered while events wait',
  budget: 'every attempt fails',
  'dead-letters': 'new dead letters',
  certificate: 'the client certificate ends soon',
  'not-running': 'no live worker delivers',
  quarantine: 'records are in quarantine',
  deletion: 'records will be deleted within a week',
  secret: 'the use of an earlier secret ends',
  invitation: 'invitations were answered',
};

function resolvedText(kind: NoticeKind, customer: string | undefined): string {
  const whom = customer === undefined ? 'Resolved' : `Resolved for "${customer}"`;
  return `${whom}. It was: ${KIND_TEXT[kind]}.`;
}
