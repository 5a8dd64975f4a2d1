import { generateKeySet, parseKeySet } from '@databridge/kernel/secrets/key-set';
import { SealingDesk } from '@databridge/kernel/secrets/sealing-desk';
import { formatIssues, parseSubscription, type Subscription } from '@databridge/schemas/subscription/subscription';
import type { SeenWorker } from '../views/worker-table.ts';
import type { Finding } from './finding.ts';
import { examineFleet, type FleetFacts } from './fleet-checks.ts';

const desk = new SealingDesk(parseKeySet(generateKeySet('k1').controlPlane));

const SETTINGS = { RETRY_PLAN: '10s*3', EGRESS_ALLOW_HTTP: 'false' };

async function subscriptionOf(customer: string): Promise<[string, Subscription]> {
  const parsed = parseSubscription({
    customer,
    eventTypes: ['root-cause'],
    match: 'everything',
    destination: { type: 'http', url: 'https://customer.example' },
    authentication: {
      type: 'api-key',
      name: 'x-key',
      key: await desk.seal('secret', { customer, place: 'authentication.key' }),
    },
  });
  if (!parsed.ok) throw new Error(formatIssues(parsed.issues));
  return [customer, parsed.subscription];
}

function worker(name: string, report: Partial<SeenWorker['report']> = {}, seen: Partial<SeenWorker> = {}): SeenWorker {
  return {
    report: {
      ...{ worker: name, version: '1.0.0', startedAtMs: 0, at: 0, intervalMs: 10_000, partitions: [0] },
      ...{ customers: ['acme'], failing: [], keyIds: ['k1'], settings: SETTINGS },
      ...report,
    },
    ...{ silentForMs: 1_000, isAlive: true, hasNamesake: false, clockAheadMs: -20, ownClockAheadMs: 150 },
    ...seen,
  };
}

async function facts(changes: Partial<FleetFacts> = {}): Promise<FleetFacts> {
  const subscriptions = new Map([await subscriptionOf('acme')]);
  const well = { workers: [worker('w-1'), worker('w-2')], subscriptions, unattended: [] };
  return { ...well, version: '1.0.0', keyIds: ['k1'], settings: SETTINGS, ...changes };
}

const faultsIn = (findings: readonly Finding[]) =>
  findings.filter(({ verdict }) => verdict === 'fault').map(({ check, detail }) => `${check}: ${detail}`);

test('a healthy fleet is ok in each check', async () => {
  const findings = examineFleet(await facts());
  expect(findings.map(({ check, verdict }) => `${check} ${verdict}`)).toEqual([
    'workers ok',
    'customers ok',
    'keys ok',
    'clocks ok',
    'versions ok',
    'settings ok',
  ]);
});

test.each<[string, Partial<FleetFacts>, string]>([
  [
    'a worker with another retry plan',
    { workers: [worker('w-1', { settings: { ...SETTINGS, RETRY_PLAN: '1m*9' } })] },
    'settings: RETRY_PLAN is "10s*3" in the control plane and "1m*9" in worker w-1.',
  ],
  [
    'a dead worker',
    { workers: [worker('w-1'), worker('w-2', {}, { isAlive: false, silentForMs: 90_000 })] },
    'workers: Worker w-2 is dead: its last report came 90.0 s ago; it reports every 10.0 s.',
  ],
  [
    'two workers of one name',
    { workers: [worker('w-1', {}, { hasNamesake: true }), worker('w-2')] },
    'workers: Two workers are named w-1: their reports overwrite each other.',
  ],
  ['no worker at all', { workers: [] }, 'workers: No delivery worker reports.'],
  ['customers that nobody runs', { unattended: ['acme'] }, 'customers: No worker runs these active customers: acme.'],
  [
    'a customer that its worker cannot run',
    {
      workers: [worker('w-1', { failing: [{ customer: 'acme', because: 'TOPIC_AUTHORIZATION_FAILED' }] })],
      unattended: ['acme'],
    },
    'customers: Worker w-1 cannot run customer acme: TOPIC_AUTHORIZATION_FAILED',
  ],
  [
    'a worker without the key',
    { workers: [worker('w-1', { keyIds: ['k0'] })] },
    'keys: Worker w-1 has no key "k1", under which secrets of acme are sealed; it has k0.',
  ],
  [
    'a worker that could not open what is sealed from now on',
    { keyIds: ['k2', 'k1'], workers: [worker('w-1')] },
    'keys: Worker w-1 has no key "k2", under which the control plane seals new secrets; it has k1.',
  ],
  [
    'a clock that is ahead',
    { workers: [worker('w-1', {}, { clockAheadMs: 3_600_000 })] },
    'clocks: The clock of worker w-1 is 3600.0 s ahead of the broker’s; at most 5.0 s are allowed.',
  ],
  [
    'a clock that is behind',
    { workers: [worker('w-1', {}, { clockAheadMs: -60_000 })] },
    'clocks: The clock of worker w-1 is 60.0 s behind the broker’s; at most 5.0 s are allowed.',
  ],
  [
    'the control plane’s own clock',
    { workers: [worker('w-1', {}, { ownClockAheadMs: 20_000 })] },
    'clocks: The clock of the control plane is 20.0 s ahead of the broker’s; at most 5.0 s are allowed.',
  ],
  [
    'another version',
    { workers: [worker('w-1', { version: '0.9.0' })] },
    'versions: The control plane runs 1.0.0, but worker w-1 runs 0.9.0.',
  ],
])('%s is a fault, the only one, with advice', async (_what, changes, expected) => {
  const findings = examineFleet(await facts(changes));
  expect(faultsIn(findings)).toEqual([expected]);
  expect(findings.find(({ verdict }) => verdict === 'fault')?.advice).toMatch(/\.$/);
});

test('a dead worker’s clock, keys and version do not matter', async () => {
  const dead = worker('w-2', { keyIds: [], version: '0.1.0' }, { isAlive: false, clockAheadMs: 1e9 });
  const findings = examineFleet(await facts({ workers: [worker('w-1'), dead] }));
  expect(findings.filter(({ verdict }) => verdict === 'fault').map(({ check }) => check)).toEqual(['workers']);
});

test('a worker of a version that does not report its keys leaves that open', async () => {
  const { keyIds: _, ...report } = worker('w-1').report;
  const findings = examineFleet(await facts({ workers: [{ ...worker('w-1'), report }] }));
  expect(findings.find(({ check }) => check === 'keys')).toMatchObject({ verdict: 'unknown' });
});
