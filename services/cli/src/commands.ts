import { readFileSync } from 'node:fs';
import { type Role, Tokens } from '@databridge/control-plane/api/tokens';
import { type Applied, applySubscriptions } from '@databridge/control-plane/apply';
import { commitBy } from '@databridge/control-plane/changes';
import { gatherEvidence } from '@databridge/control-plane/gather-evidence';
import { egressIssues } from '@databridge/control-plane/outgoing-urls';
import {
  addsUp,
  type Evidence,
  fateOf,
  type Reconciliation,
  reconcile,
  type TimeRange,
} from '@databridge/control-plane/reconcile';
import { customerStatuses, knownCustomers } from '@databridge/control-plane/status';
import { formatMistakes, parseSubscriptionFile } from '@databridge/control-plane/subscription-file';
import { ensureSystemTopics, formatMismatch } from '@databridge/control-plane/system-topics';
import { warningsOf } from '@databridge/control-plane/warnings';
import { readConfig } from '@databridge/kernel/config';
import { egressPolicy, egressSettings } from '@databridge/kernel/egress/egress-settings';
import { DatabridgeError, messageOf } from '@databridge/kernel/errors';
import type { TopicMismatch } from '@databridge/kernel/kafka/admin';
import { KeyRing } from '@databridge/kernel/key-ring';
import { loadKeyRing } from '@databridge/kernel/key-ring-settings';
import { applyConfig, kafkaConfig, topicsConfig } from './config.ts';
import { withKafka, withProducer } from './connect.ts';
import { formatReconciliations, formatStatus, formatStatuses, formatTable, printJson, printLine } from './print.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

/** Every command resolves with whether all is well: the exit code is then 0, else 1. */
export async function apply(env: Environment, { file }: { file: string }): Promise<boolean> {
  const egress = egressPolicy(readConfig(egressSettings, env));
  const parsed = parseSubscriptionFile(readText(file), env, (one) => egressIssues(one, egress));
  if (!parsed.ok) throw new DatabridgeError('DB_INPUT_INVALID', formatMistakes(file, parsed.mistakes));

  const config = readConfig(applyConfig, env);
  const keyRing = loadKeyRing(config);
  const applied = await withKafka(config, (connected) =>
    withProducer(connected.kafka, (producer) =>
      applySubscriptions(
        { ...connected, producer, commit: commitBy(producer, 'cli'), keyRing, retryDelays: config.RETRY_PLAN, egress },
        parsed.subscriptions,
      ),
    ),
  );
  printApplied(applied);
  const changed = new Set(applied.customers.filter(({ change }) => change !== 'unchanged').map((one) => one.customer));
  const toLookUp = parsed.subscriptions.map((one) => one.subscription).filter((one) => changed.has(one.customer));
  for (const { customer, path, message } of await warningsOf(toLookUp, egress)) {
    process.stderr.write(`warning: ${customer}: ${path.join('.')}: ${message}\n`);
  }
  return true;
}

function printApplied({ customers, createdTopics, mismatchedTopics }: Applied): void {
  printLine(
    formatTable(
      ['CUSTOMER', 'CHANGE'],
      customers.map(({ customer, change }) => [customer, change]),
    ),
  );
  if (createdTopics.length > 0) printLine(`\n${createdTopics.length} topics created.`);
  printMismatches(mismatchedTopics);
}

export async function createTopics(env: Environment): Promise<boolean> {
  const config = readConfig(topicsConfig, env);
  const intakeTopics = config.EVENT_TYPES.map(({ topic }) => topic);
  const { created, mismatched } = await withKafka(config, ({ admin }) => ensureSystemTopics(admin, intakeTopics));
  for (const topic of created) printLine(`created ${topic}`);
  if (created.length === 0) printLine('All topics are there.');
  printMismatches(mismatched);
  return mismatched.length === 0;
}

function printMismatches(mismatched: readonly TopicMismatch[]): void {
  for (const mismatch of mismatched) process.stderr.write(`${formatMismatch(mismatch)}\n`);
}

export function generateKey({ name }: { name?: string }): boolean {
  printLine(KeyRing.generate(name ?? `k${new Date().toISOString().slice(0, 10)}`));
  return true;
}

export interface TokenChoice {
  readonly name: string;
  readonly role: Role;
  readonly customer?: string;
}

/** The token to standard output, for its owner; the line for the control plane to standard error. */
export function generateToken({ name, role, customer }: TokenChoice): boolean {
  const { token, line } = Tokens.generate(name, role, customer);
  process.stderr.write(`For API_TOKENS of the control plane:\n${line}\nThe token itself, shown this once:\n`);
  printLine(token);
  return true;
}

const DAY_MS = 86_400_000;

/** @param names of customers, each then shown in full; none: all of them, a line each */
export async function status(
  env: Environment,
  names: readonly string[],
  { json }: { json?: boolean },
): Promise<boolean> {
  const statuses = await withKafka(readConfig(kafkaConfig, env), (connected) =>
    customerStatuses(connected, {
      attemptsSinceMs: Date.now() - DAY_MS,
      ...(names.length > 0 && { customers: names }),
    }),
  );
  if (json) printJson(statuses);
  else if (names.length > 0) printLine(statuses.map(formatStatus).join('\n\n'));
  else printLine(formatStatuses(statuses));
  return true;
}

export interface ReconcileOptions {
  readonly from?: Date;
  readonly to?: Date;
  readonly json?: boolean;
  /** With `json`: each event's fate too. */
  readonly events?: boolean;
}

/** @param names of customers; none: all of them */
export async function reconcileCustomers(
  env: Environment,
  names: readonly string[],
  { from, to, json, events }: ReconcileOptions,
): Promise<boolean> {
  const range: TimeRange = {
    ...(from !== undefined && { fromMs: from.getTime() }),
    ...(to !== undefined && { toMs: to.getTime() }),
  };
  const reconciliations = await withKafka(readConfig(kafkaConfig, env), async (connected) => {
    const found: Reconciliation[] = [];
    // One after the other: each holds the ids of a customer's events in memory.
    for (const customer of await knownCustomers(connected, names)) {
      const evidence = await gatherEvidence(connected, customer, range);
      found.push({ ...reconcile(evidence, range), ...(events && { events: fatesOf(evidence) }) });
    }
    return found;
  });
  if (json) printJson(reconciliations);
  else printLine(formatReconciliations(reconciliations));
  return reconciliations.every(addsUp);
}

const fatesOf = (evidence: Evidence) =>
  Object.fromEntries([...evidence.written.keys()].map((eventId) => [eventId, fateOf(eventId, evidence)]));

/** @throws {DatabridgeError} DB_INPUT_INVALID */
function readText(file: string): string {
  try {
    // The descriptor of standard input.
    return readFileSync(file === '-' ? 0 : file, 'utf8');
  } catch (error) {
    throw new DatabridgeError('DB_INPUT_INVALID', `The file can't be read: ${messageOf(error)}`);
  }
}
