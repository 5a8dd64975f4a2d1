/** Declarative: shows how the stored subscriptions differ from the files, asks, and applies the difference. */
import type { Routes, SavedSubscription } from '@databridge/schemas/api/types';
import { ceilingsOf } from '@databridge/schemas/rights/ceilings';
import { matchesEveryCompany } from '@databridge/schemas/subscription/routing';
import { mapSecrets } from '@databridge/schemas/subscription/secret-places';
import {
  noContent,
  parseSubscriptionForm,
  type Subscription,
} from '@databridge/schemas/subscription/subscription-form';
import pLimit from 'p-limit';
import type { ApiClient } from '../api/api-client.ts';
import { ApiError } from '../api/api-error.ts';
import { type Cli, pathOf } from '../cli.ts';
import { type Difference, differences, formatDifference, MASK } from '../files/subscription-diff.ts';
import { Declarations, type DeclaredSubscription } from '../files/subscription-files.ts';
import { formatTable, printLine } from '../output/print.ts';
import { startProgress } from '../output/progress.ts';
import { mustConfirm } from '../output/terminal.ts';

/**
 * The control plane processes all requests that it has at the same time together: the cost depends on the number of
 * rounds, not of customers. Each request is a connection.
 */
const AT_ONCE = 100;

interface Plan {
  readonly customer: string;
  readonly file: string;
  readonly change: Comparison['change'];
  readonly differences: readonly Difference[];
  /** The customer gets the events of all companies, which is rarely intended. */
  readonly warnsOfEverything: boolean;
  /** The body of the PUT, with its secrets: never shown. */
  readonly body: unknown;
  /** The ETag of the compared version, so that no change in between is overwritten. */
  readonly etag: string | undefined;
}

/**
 * The changes that a PUT would make, and the version that it would replace: one answer, so that nothing changes in
 * between.
 */
type Comparison = Routes['POST /v1/subscriptions/{customer}/comparisons']['answer'];

export interface ApplyOptions {
  readonly file: string;
  readonly yes?: boolean;
  readonly prune?: boolean;
  readonly waiting?: string;
}

export async function apply(cli: Cli, options: ApplyOptions): Promise<void> {
  const { yes = false, prune = false, waiting } = options;
  const declared = await Declarations.read(options.file, cli.env);
  const api = apiFor(cli, declared);
  const plans = await planAll(api, declared);
  const changing = plans.filter(({ change }) => change !== 'unchanged');
  const surplus = prune ? await notDeclared(api, declared.subscriptions) : [];
  const shown = [
    ...changing.map(formatPlan),
    ...surplus.map(({ customer }) => `${customer}: is deleted, since no file names it`),
  ];
  for (const { customer, change, warnsOfEverything } of plans) {
    if (change === 'unchanged' && warnsOfEverything) {
      process.stderr.write(`warning: ${customer}: match is everything: it gets the events of all companies\n`);
    }
  }
  if (shown.length > 0) {
    printLine(`${shown.join('\n')}\n`);
    await mustConfirm(`Apply ${countOf(shown.length)}?`, yes);
  }
  await sideBySide('Applying', changing, async (one) => await carryOut(api, one));
  await sideBySide('Deleting', surplus, async ({ customer }) => {
    const { etag } = await api.call('GET', pathOf(customer));
    await api.call('DELETE', pathOf(customer), { query: { waiting }, headers: { 'if-match': etag ?? '*' } });
  });
  const rows = [
    ...plans.map(({ customer, change }) => [customer, change]),
    ...surplus.map(({ customer }) => [customer, 'deleted']),
  ];
  printLine(formatTable(['CUSTOMER', 'CHANGE'], rows));
}

/** Like the program `diff`: exit code 1 if there is a difference. */
export async function showDifferences(cli: Cli, { file, prune = false }: ApplyOptions): Promise<void> {
  const declared = await Declarations.read(file, cli.env);
  const api = apiFor(cli, declared);
  const plans = await planAll(api, declared);
  const surplus = prune ? await notDeclared(api, declared.subscriptions) : [];
  const changing = plans.filter(({ change }) => change !== 'unchanged');
  const shown = [...changing.map(formatPlan), ...surplus.map(({ customer }) => `${customer}: would be deleted`)];
  printLine(shown.length === 0 ? 'No differences.' : shown.join('\n'));
  if (shown.length > 0) cli.notWell();
}

/** Mistakes in the files can be corrected without knowing the address of the API. */
function apiFor(cli: Cli, declared: Declarations): ApiClient {
  try {
    return cli.api();
  } catch (error) {
    declared.refuseMistakes();
    throw error;
  }
}

const countOf = (count: number) => (count === 1 ? 'this change' : `these ${count} changes`);

async function notDeclared(api: ApiClient, declared: readonly DeclaredSubscription[]): Promise<{ customer: string }[]> {
  const named = new Set(declared.map(({ subscription }) => subscription.customer));
  const all = await api.list<{ customer: string }>('/subscriptions');
  return all.filter(({ customer }) => !named.has(customer));
}

/**
 * Runs several at once. The first failure is thrown once all that were begun have ended; nothing more is begun after
 * it.
 */
async function sideBySide<T, R>(doing: string, items: readonly T[], work: (item: T) => Promise<R>): Promise<R[]> {
  const progress = startProgress(doing, items.length);
  const limit = pLimit(AT_ONCE);
  const failures: unknown[] = [];
  const done = await Promise.all(
    items.map((item) =>
      limit(async () => {
        if (failures.length > 0) return [];
        try {
          return [await work(item)];
        } catch (error) {
          failures.push(error);
          return [];
        } finally {
          progress.step();
        }
      }),
    ),
  );
  progress.end();
  if (failures.length > 0) throw failures[0];
  return done.flat();
}

/**
 * All of them before anything is done: a mistake in the last file leaves the first ones as they are. What the API
 * refuses is a mistake like those found in the file, at its line and column.
 * @throws {DatabridgeError} DB_INPUT_INVALID naming every mistake
 */
async function planAll(api: ApiClient, declared: Declarations): Promise<Plan[]> {
  const found = await sideBySide('Comparing', declared.subscriptions, async (one) => {
    try {
      return [await plan(api, one)];
    } catch (error) {
      if (error instanceof ApiError && error.status === 422) {
        noteRefusal(declared, one, error);
        return [];
      }
      // The mistakes in the file can be corrected without the API.
      if (declared.hasMistakes) return [];
      throw error;
    }
  });
  await sideBySide('Checking', declared.doubtful, async (one) => {
    try {
      await api.post(pathOf(one.customer, 'comparisons'), one.body);
    } catch (error) {
      // Whatever else is wrong with the API, the mistakes that are known can be corrected without it.
      if (error instanceof ApiError && error.status === 422) noteRefusal(declared, one, error);
    }
  });
  declared.refuseMistakes();
  return found.flat();
}

function noteRefusal(declared: Declarations, one: Parameters<Declarations['add']>[0], error: ApiError): void {
  if (error.errors.length === 0) declared.add(one, ['customer'], `is refused: ${error.message}`);
  for (const { pointer, detail } of error.errors) declared.add(one, pathOfPointer(pointer), detail);
}

/** RFC 6901. */
const pathOfPointer = (pointer: string): string[] =>
  pointer
    .split('/')
    .slice(1)
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'));

/** For a secret that was sealed in a browser or by the command line. */
const CANNOT_TELL = 'the secret of the file (whether it is the stored one, nobody can tell)';

async function plan(api: ApiClient, { subscription, sets, file }: DeclaredSubscription): Promise<Plan> {
  const { customer, state, enableEpoch: _, ...settings } = subscription;
  const body = { ...settings, ...(sets.includes('state') && { state }) };
  const comparison = await api.post<Comparison>(pathOf(customer, 'comparisons'), body);
  const { change, secrets, uncertain, stored, etag } = comparison;
  const warnsOfEverything = matchesEveryCompany(subscription.match);
  const found = { customer, file, change, body, warnsOfEverything, etag };
  const { enableEpoch: __, ...wanted } = mapSecrets(subscription, () => MASK);
  if (stored === undefined) {
    const beyond = differences(usualSettings(subscription), wanted).filter(({ after }) => after !== undefined);
    return { ...found, differences: beyond.map(({ place, after }) => ({ place, after })) };
  }
  const { enableEpoch: ___, ...before } = stored;
  const completed = { ...withGenerated(wanted, before), ceilings: ceilingsOf(subscription) };
  const visible = differences(before, sets.includes('state') ? completed : { ...completed, state: before['state'] });
  // The masks are the same on both sides: the API says whether the secrets are.
  const hidden = secrets
    .filter((place) => !visible.some((one) => one.place === place || place.startsWith(`${one.place}.`)))
    .map((place) => ({ place, before: MASK, after: uncertain.includes(place) ? CANNOT_TELL : 'another secret' }));
  return { ...found, differences: [...visible, ...hidden] };
}

function formatPlan({ customer, change, differences: found, warnsOfEverything }: Plan): string {
  const heading = change === 'created' ? `${customer}: new` : `${customer}: changes`;
  const warnings = warnsOfEverything
    ? ['  ! warning: match is everything: this customer gets the events of all companies']
    : [];
  return [heading, ...warnings, ...found.map(formatDifference)].join('\n');
}

/** The external id of the same role stays, although the file does not state it. */
function withGenerated(wanted: Record<string, unknown>, before: Record<string, unknown>): Record<string, unknown> {
  const [is, was] = [wanted, before].map((one) => (one['authentication'] ?? {}) as Record<string, unknown>);
  if (is?.['roleArn'] === undefined || is['roleArn'] !== was?.['roleArn'] || 'externalId' in is) return wanted;
  return { ...wanted, authentication: { ...is, externalId: was?.['externalId'] } };
}

/** The defaults of a new customer are not shown. */
function usualSettings({ customer, eventTypes, destination }: Subscription): Record<string, unknown> {
  const necessary = Object.fromEntries(Object.entries(destination).filter(([name]) => NECESSARY.has(name)));
  const parsed = parseSubscriptionForm(
    { customer, eventTypes, match: 'everything', destination: necessary },
    noContent,
  );
  if (!parsed.ok) return { customer };
  const stated = Object.fromEntries(Object.keys(necessary).map((name) => [name, undefined]));
  return {
    ...parsed.subscription,
    eventTypes: undefined,
    match: undefined,
    destination: { ...parsed.subscription.destination, ...stated },
  };
}

/** The fields that every destination has. */
const NECESSARY = new Set(['type', 'url', 'topicArn', 'queueUrl', 'region']);

async function carryOut(api: ApiClient, plan: Plan): Promise<void> {
  const { customer, body, etag } = plan;
  const headers: Record<string, string> = etag === undefined ? { 'if-none-match': '*' } : { 'if-match': etag };
  const saved = await api.call<SavedSubscription>('PUT', pathOf(customer), { body, headers });
  for (const { pointer, detail } of saved.body.warnings ?? []) {
    process.stderr.write(`warning: ${customer}: ${pointer}: ${detail}\n`);
  }
}
