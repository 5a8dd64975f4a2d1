/** Declarative: what the files say is made to stand. First what would change is shown, then it is asked, then done. */
import { DatabridgeError } from '@databridge/kernel/errors';
import { mapSecrets } from '@databridge/schemas/subscription/secret-places';
import { parseSubscription, type Subscription } from '@databridge/schemas/subscription/subscription';
import type { ApiClient } from '../api/api-client.ts';
import { ApiError } from '../api/api-error.ts';
import { type Cli, pathOf } from '../cli.ts';
import { formatTable, printLine } from '../print.ts';
import { type Difference, differences, formatDifference, MASK } from '../subscription-diff.ts';
import { type DeclaredSubscription, readSubscriptionFiles } from '../subscription-files.ts';
import { confirm, isAttended } from '../terminal.ts';

type Change = 'created' | 'updated' | 'unchanged';

interface Plan {
  readonly customer: string;
  readonly file: string;
  readonly change: Change;
  readonly differences: readonly Difference[];
  /** What a PUT sends, secrets and all: never shown. */
  readonly body: unknown;
  /** Of what was compared with: nobody's change in between is overwritten. */
  readonly etag: string | undefined;
}

interface Saved {
  readonly warnings: readonly { readonly pointer: string; readonly detail: string }[];
}

export interface ApplyOptions {
  readonly file: string;
  readonly yes?: boolean;
}

export async function apply(cli: Cli, { file, yes = false }: ApplyOptions): Promise<void> {
  const declared = readSubscriptionFiles(file, cli.env);
  const api = cli.api();
  const plans = await planAll(api, declared);
  const changing = plans.filter(({ change }) => change !== 'unchanged');
  if (changing.length > 0) printLine(`${changing.map(formatPlan).join('\n')}\n`);
  if (changing.length > 0 && !yes && isAttended() && !(await confirm(`Apply ${countOf(changing.length)}?`))) {
    throw new DatabridgeError('DB_INPUT_INVALID', 'Nothing is changed');
  }
  for (const plan of changing) await carryOut(api, plan);
  printLine(
    formatTable(
      ['CUSTOMER', 'CHANGE'],
      plans.map(({ customer, change }) => [customer, change]),
    ),
  );
}

/** As `diff` of a program: not well if there is a difference. */
export async function showDifferences(cli: Cli, { file }: ApplyOptions): Promise<void> {
  const plans = await planAll(cli.api(), readSubscriptionFiles(file, cli.env));
  const changing = plans.filter(({ change }) => change !== 'unchanged');
  if (changing.length === 0) printLine('No differences.');
  else {
    printLine(changing.map(formatPlan).join('\n'));
    cli.notWell();
  }
}

const countOf = (count: number) => (count === 1 ? 'this change' : `these ${count} changes`);

/** All of them before anything is done: a mistake in the last file leaves the first ones as they are. */
async function planAll(api: ApiClient, declared: readonly DeclaredSubscription[]): Promise<Plan[]> {
  const plans: Plan[] = [];
  const mistakes: ApiError[] = [];
  for (const one of declared) {
    try {
      plans.push(await plan(api, one));
    } catch (error) {
      if (!(error instanceof ApiError) || error.status !== 422) throw error;
      mistakes.push(whereItStands(error, one));
    }
  }
  const [first, ...others] = mistakes;
  if (first === undefined) return plans;
  if (others.length === 0) throw first;
  throw new DatabridgeError('DB_INPUT_INVALID', mistakes.map((one) => one.message).join('\n'));
}

async function plan(api: ApiClient, { subscription, sets, file }: DeclaredSubscription): Promise<Plan> {
  const { customer, state, enableEpoch: _, ...settings } = subscription;
  const body = { ...settings, ...(sets.includes('state') && { state }) };
  const [stored, compared] = await Promise.all([
    api.find<Record<string, unknown>>(pathOf(customer)),
    api.call<{ change: Change; secrets: string[] }>('POST', pathOf(customer, 'comparisons'), { body }),
  ]);
  const { change, secrets } = compared.body;
  const found = { customer, file, change, body, etag: stored?.etag };
  const { enableEpoch: __, ...wanted } = mapSecrets(subscription, () => MASK);
  if (stored === undefined) {
    const beyond = differences(usualSettings(subscription), wanted).filter(({ after }) => after !== undefined);
    return { ...found, differences: beyond.map(({ place, after }) => ({ place, after })) };
  }
  const { enableEpoch: ___, ...before } = stored.body;
  const visible = differences(before, sets.includes('state') ? wanted : { ...wanted, state: before['state'] });
  // The masks are the same on both sides: whether what they hide is, the API says.
  const hidden = secrets
    .filter((place) => !visible.some((one) => one.place === place || place.startsWith(`${one.place}.`)))
    .map((place) => ({ place, before: MASK, after: 'another secret' }));
  return { ...found, differences: [...visible, ...hidden] };
}

function formatPlan({ customer, change, differences: found }: Plan): string {
  const heading = change === 'created' ? `${customer}: new` : `${customer}: changes`;
  return [heading, ...found.map(formatDifference)].join('\n');
}

/** What stands anyway unless a file says otherwise: nobody needs to read that of a new customer. */
function usualSettings({ customer, eventTypes, destination }: Subscription): Record<string, unknown> {
  const necessary = Object.fromEntries(Object.entries(destination).filter(([name]) => NECESSARY.has(name)));
  const parsed = parseSubscription({ customer, eventTypes, destination: necessary });
  if (!parsed.ok) return { customer };
  const stated = Object.fromEntries(Object.keys(necessary).map((name) => [name, undefined]));
  return {
    ...parsed.subscription,
    eventTypes: undefined,
    destination: { ...parsed.subscription.destination, ...stated },
  };
}

/** What no destination goes without. */
const NECESSARY = new Set(['type', 'url', 'topicArn', 'queueUrl', 'region']);

async function carryOut(api: ApiClient, plan: Plan): Promise<void> {
  const { customer, body, etag } = plan;
  const headers: Record<string, string> = etag === undefined ? { 'if-none-match': '*' } : { 'if-match': etag };
  const saved = await api.call<Saved>('PUT', pathOf(customer), { body, headers });
  for (const { pointer, detail } of saved.body.warnings ?? []) {
    process.stderr.write(`warning: ${customer}: ${pointer}: ${detail}\n`);
  }
}

function whereItStands(error: ApiError, { file, subscription: { customer } }: DeclaredSubscription): ApiError {
  const places = error.errors.map(({ pointer, detail }) => `\n  ${pointer}: ${detail}`).join('');
  const detail = `${file}: customer "${customer}": ${places === '' ? error.message : `is refused${places}`}`;
  return new ApiError({ title: '', status: error.status, code: error.code, detail, errors: [] });
}
