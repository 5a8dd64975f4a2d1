/** Decides by field-rights.ts which changes of a subscription a role may make. Pure. */
import { isDeepStrictEqual } from 'node:util';
import type { Issue } from '../subscription/issue-words.ts';
import type { Subscription } from '../subscription/subscription.ts';
import { ceilingsOf } from './ceilings.ts';
import { FIELD_RIGHTS } from './field-rights.ts';
import { grantedBy, narrowsFilter, sectionsBeyond } from './narrowing.ts';
import type { Role } from './route-rights.ts';

type Loose = Readonly<Record<string, unknown>>;

/** Fields of the whole subscription that a customer leaves to others. */
const OPERATORS = Object.entries(FIELD_RIGHTS)
  .filter(([name, { owner }]) => owner === 'operator' && !name.includes('.'))
  .map(([name]) => name);

/**
 * The body that a customer sent, with the fields filled in that it omitted because they belong to others or narrow
 * nothing.
 * @param given as it was sent: not checked yet
 */
export function withOthersFields(role: Role, given: Loose, before: Subscription<unknown>): Loose {
  if (role === 'operator') return given;
  const stored = before as unknown as Loose;
  const granted: Loose = { ...grantedBy(before) };
  const left = (name: string) => given[name] === undefined;
  const kept = OPERATORS.filter((name) => left(name) && stored[name] !== undefined).map((name) => [name, stored[name]]);
  const narrowed = ['filter', 'sections'].filter((name) => left(name) && granted[name] !== undefined);
  return {
    ...given,
    ...Object.fromEntries(kept),
    ...Object.fromEntries(narrowed.map((name) => [name, granted[name]])),
  };
}

/**
 * The fields that were sent, belong to others, and differ from the stored ones.
 * @param given as it was sent: not checked yet
 * @param before undefined if the subscription is new
 */
export function forbiddenFields(role: Role, before: Subscription<unknown> | undefined, given: Loose): Issue[] {
  if (role === 'operator') return [];
  if (before === undefined) return [CREATED_BY_OPERATORS];
  const shown: Loose = { ...before, ceilings: ceilingsOf(before) };
  return OPERATORS.filter((name) => given[name] !== undefined)
    .filter((name) => !isDeepStrictEqual(given[name], shown[name]))
    .filter((name) => name !== 'ceilings' || !isDeepStrictEqual(given[name], before.ceilings))
    .map((name) => refused([name], 'operators', KEEP));
}

const KEEP = 'leave it out to keep it as it is, or ask an operator to change it';

/**
 * The changes that a role has no right to, each with the field's owner and what to do.
 * @param before undefined if the subscription is new
 * @param after as it would be stored, with its defaults
 */
export function forbiddenChanges<S>(
  role: Role,
  before: Subscription<unknown> | undefined,
  after: Subscription<S>,
): Issue[] {
  if (role === 'operator') return [];
  if (before === undefined) {
    return [CREATED_BY_OPERATORS];
  }
  return [
    ...OPERATORS.flatMap((name) => operatorsField(name, before, after)),
    ...externalId(before, after),
    ...narrowing(before, after),
    ...ceilings(before, after),
    ...state(before, after),
  ];
}

const refused = (path: string[], owner: string, what: string): Issue => ({
  path,
  message: `belongs to ${owner}: ${what}`,
});

const CREATED_BY_OPERATORS = refused(
  ['match'],
  'operators',
  'a new subscription is created by an operator, who says match and eventTypes; ask for it',
);

function operatorsField(name: string, before: Subscription<unknown>, after: Subscription<unknown>): Issue[] {
  const [was, is] = [before, after].map((one) =>
    name === 'ceilings'
      ? ceilingsOf({ ...one, ceilings: one.ceilings ?? ceilingsOf(before) })
      : (one as unknown as Loose)[name],
  );
  if (isDeepStrictEqual(was, is)) return [];
  return [refused([name], 'operators', KEEP)];
}

function externalId(before: Subscription<unknown>, after: Subscription<unknown>): Issue[] {
  const [was, is] = [before.authentication, after.authentication].map((one) =>
    one.type === 'aws' && 'roleArn' in one ? one : undefined,
  );
  if (is?.externalId === undefined || is.externalId === was?.externalId) return [];
  return [
    refused(['authentication', 'externalId'], 'operators', 'leave it out; Databridge generates it when you set a role'),
  ];
}

function narrowing(before: Subscription<unknown>, after: Subscription<unknown>): Issue[] {
  const granted = grantedBy(before);
  const issues: Issue[] = [];
  if (granted.filter !== undefined && !narrowsFilter(after.filter ?? 'true', granted.filter)) {
    const what = `you may only add conditions to it: (${granted.filter}) && …; leave it out to keep the operator's alone`;
    issues.push(refused(['filter'], 'operators', what));
  }
  if (granted.sections !== undefined) {
    const beyond = after.sections === undefined ? ['all'] : sectionsBeyond(after.sections, granted.sections);
    const what = `you may only choose among ${granted.sections.join(', ')}, not ${beyond.join(', ')}; ask an operator for more`;
    if (beyond.length > 0) issues.push(refused(['sections'], 'operators', what));
  }
  return issues;
}

function ceilings(before: Subscription<unknown>, after: Subscription<unknown>): Issue[] {
  const limits = ceilingsOf(before);
  return (['ratePerSecond', 'maxInFlight'] as const).flatMap((name) => {
    const [was, is, limit] = [before[name], after[name], limits[name]];
    // A ceiling that was lowered since applies to delivery: the stored values need not be changed.
    if (is === undefined || is <= limit || is === was) return [];
    return [
      {
        path: [name],
        message: `is limited by operators: at most ${limit} (ceilings.${name}); ask an operator to raise it`,
      },
    ];
  });
}

function state(before: Subscription<unknown>, after: Subscription<unknown>): Issue[] {
  if (before.state === after.state || (before.state !== 'disabled' && after.state !== 'disabled')) return [];
  const what =
    before.state === 'disabled'
      ? 'an operator disabled this customer; ask an operator to enable it'
      : 'only operators disable a customer; pause it instead';
  return [refused(['state'], 'operators', what)];
}
