/** Checks of the workers' reports. Pure. */
import { kidOf } from '@databridge/kernel/secrets/sealing-desk';
import { disagreements } from '@databridge/kernel/settings/shared-settings';
import { mapSecrets } from '@databridge/schemas/subscription/secret-places';
import type { Subscription } from '@databridge/schemas/subscription/subscription';
import type { SeenWorker } from '../views/worker-table.ts';
import { type Finding, fault, named, ok, unknown } from './finding.ts';

/** Retries are due by the broker's clock plus a delay, which the worker compares with its own clock. */
const MAX_CLOCK_SKEW_MS = 5_000;

export interface FleetFacts {
  readonly workers: readonly SeenWorker[];
  readonly subscriptions: ReadonlyMap<string, Subscription>;
  /** Active customers that no running worker runs. */
  readonly unattended: readonly string[];
  /** The version of the control plane that answers. */
  readonly version: string;
  /** The names of its sealing keys, the current one first. */
  readonly keyIds: readonly string[];
  /** The settings that the workers must have in common, in the form of their reports. */
  readonly settings: Readonly<Record<string, string>>;
}

export function examineFleet(facts: FleetFacts): Finding[] {
  return [
    ...examineWorkers(facts),
    ...examineCustomers(facts),
    ...examineKeys(facts),
    ...examineClocks(facts),
    ...examineVersions(facts),
    ...examineSettings(facts),
  ];
}

const aliveIn = ({ workers }: Pick<FleetFacts, 'workers'>) => workers.filter(({ isAlive }) => isAlive);
const seconds = (ms: number) => `${(ms / 1_000).toFixed(1)} s`;

function examineWorkers(facts: FleetFacts): Finding[] {
  const alive = aliveIn(facts);
  const dead = facts.workers.filter(({ isAlive }) => !isAlive);
  const faults = dead.map(({ report, silentForMs }) =>
    fault(
      'workers',
      `Worker ${report.worker} is dead: its last report came ${seconds(silentForMs)} ago; it reports every ${seconds(report.intervalMs)}.`,
      'Start it again, or leave it: its customers move to the others, and its record is forgotten a day after its last report.',
    ),
  );
  faults.push(
    ...alive
      .filter(({ hasNamesake }) => hasNamesake)
      .map(({ report }) =>
        fault(
          'workers',
          `Two workers are named ${report.worker}: their reports overwrite each other.`,
          'Give each worker on one host a WORKER_NAME of its own, and restart it.',
        ),
      ),
  );
  if (alive.length === 0) {
    faults.push(
      fault('workers', 'No delivery worker reports.', 'Start a delivery service, and look for errors in its log.'),
    );
  }
  if (faults.length > 0) return faults;
  return [ok('workers', `${alive.length} live: ${named(alive.map(({ report }) => report.worker))}.`)];
}

function examineCustomers(facts: FleetFacts): Finding[] {
  const failing = aliveIn(facts).flatMap(({ report }) =>
    report.failing.map(({ customer, because }) => ({ customer, because, worker: report.worker })),
  );
  const explained = new Set(failing.map(({ customer }) => customer));
  const unexplained = facts.unattended.filter((customer) => !explained.has(customer));
  const faults = failing.map(({ customer, because, worker }) =>
    fault(
      'customers',
      `Worker ${worker} cannot run customer ${customer}: ${because}`,
      'Mend what the message names; the worker tries again at least every 30 s.',
    ),
  );
  if (unexplained.length > 0) {
    faults.push(
      fault(
        'customers',
        `No worker runs these active customers: ${named(unexplained)}.`,
        'Start a delivery service. If one runs, it takes them over within its session time-out (10 s by default); its log names what prevents it.',
      ),
    );
  }
  return faults.length > 0 ? faults : [ok('customers', 'A live worker runs every active customer.')];
}

function examineKeys(facts: FleetFacts): Finding[] {
  const customersByKid = new Map<string, Set<string>>();
  for (const [customer, subscription] of facts.subscriptions) {
    mapSecrets(subscription, (sealed: string) => {
      const kid = kidOf(sealed) ?? '(none: it is not a sealed secret)';
      const customers = customersByKid.get(kid) ?? new Set();
      customersByKid.set(kid, customers.add(customer));
    });
  }
  const rings = aliveIn(facts).map(({ report }) => ({ owner: `Worker ${report.worker}`, keyIds: report.keyIds }));
  const faults: Finding[] = [];
  const [current] = facts.keyIds;
  for (const { owner, keyIds } of rings) {
    if (keyIds === undefined) continue;
    if (current !== undefined && !keyIds.includes(current) && !customersByKid.has(current)) {
      faults.push(
        fault(
          'keys',
          `${owner} has no key "${current}", under which the control plane seals new secrets; it has ${named(keyIds)}.`,
          'Add the opening key of that name to DATABRIDGE_KEYS_FILE there and restart it, before a secret is set.',
        ),
      );
    }
    for (const [kid, customers] of customersByKid) {
      if (keyIds.includes(kid)) continue;
      faults.push(
        fault(
          'keys',
          `${owner} has no key "${kid}", under which secrets of ${named([...customers].sort())} are sealed; it has ${named(keyIds)}.`,
          'Add the key to DATABRIDGE_KEYS or DATABRIDGE_KEYS_FILE there and restart it. If the key is lost, set those secrets again: "databridge secrets set".',
        ),
      );
    }
  }
  if (faults.length > 0) return faults;
  const silent = rings.filter(({ keyIds }) => keyIds === undefined).map(({ owner }) => owner);
  if (silent.length > 0) return [unknown('keys', `${named(silent)} does not report its keys: an earlier version.`)];
  const kids = [...customersByKid.keys()].sort();
  const detail = kids.length === 0 ? 'No secret is stored.' : `All can open the secrets: keys ${named(kids)}.`;
  return [ok('keys', detail)];
}

function examineClocks(facts: FleetFacts): Finding[] {
  const alive = aliveIn(facts);
  const clocks = alive.map(({ report, clockAheadMs }) => ({ owner: `worker ${report.worker}`, aheadMs: clockAheadMs }));
  // Each difference includes the time until the report was fetched: the smallest is the most accurate.
  const own = alive.flatMap(({ ownClockAheadMs }) => ownClockAheadMs ?? []);
  if (own.length > 0) clocks.push({ owner: 'the control plane', aheadMs: Math.min(...own) });
  if (clocks.length === 0) return [unknown('clocks', 'No worker reports, so no clock is compared with the broker’s.')];
  const faults = clocks
    .filter(({ aheadMs }) => Math.abs(aheadMs) > MAX_CLOCK_SKEW_MS)
    .map(({ owner, aheadMs }) =>
      fault(
        'clocks',
        `The clock of ${owner} is ${seconds(Math.abs(aheadMs))} ${aheadMs > 0 ? 'ahead of' : 'behind'} the broker’s; at most ${seconds(MAX_CLOCK_SKEW_MS)} are allowed.`,
        'Synchronize the clocks of that host and of the brokers by NTP. Meanwhile retries are early or late by as much, and receivers may reject signatures.',
      ),
    );
  return faults.length > 0 ? faults : [ok('clocks', `Within ${seconds(MAX_CLOCK_SKEW_MS)} of the broker’s.`)];
}

function examineVersions(facts: FleetFacts): Finding[] {
  const alive = aliveIn(facts);
  const others = alive.filter(({ report }) => report.version !== facts.version);
  if (others.length === 0) return [ok('versions', `${facts.version} everywhere.`)];
  const words = others.map(({ report }) => `worker ${report.worker} runs ${report.version}`);
  return [
    fault(
      'versions',
      `The control plane runs ${facts.version}, but ${named(words)}.`,
      'During an upgrade this is normal; finish it: delivery workers and fan-out before the control plane.',
    ),
  ];
}

function examineSettings(facts: FleetFacts): Finding[] {
  const alive = aliveIn(facts);
  const faults = alive.flatMap(({ report: { worker, settings = {} } }) =>
    disagreements(facts.settings, settings).map(({ setting, ours, theirs }) =>
      fault(
        'settings',
        `${setting} is "${ours}" in the control plane and "${theirs}" in worker ${worker}.`,
        `Set ${setting} alike in all delivery workers and control planes, and restart those that had it otherwise.`,
      ),
    ),
  );
  if (faults.length > 0) return faults;
  const silent = alive.filter(({ report }) => report.settings === undefined).map(({ report }) => report.worker);
  if (silent.length > 0)
    return [unknown('settings', `${named(silent)} does not report its settings: an earlier version.`)];
  return [ok('settings', `${Object.keys(facts.settings).join(', ')} are the same everywhere.`)];
}
