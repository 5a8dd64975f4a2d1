/** The control plane's API with the portal over a fleet that is made up, without Kafka: what pages look like, and how fast. */
import { createApi } from '@databridge/control-plane/api/api';
import type { Api } from '@databridge/control-plane/api/context';
import type { ControlPlaneContext } from '@databridge/control-plane/context';
import { readPortalFiles } from '@databridge/control-plane/portal/portal-files';
import type { PortalParts } from '@databridge/control-plane/portal/portal-routes';
import { AttemptRollups } from '@databridge/control-plane/views/attempts/attempt-rollups';
import { AttemptView } from '@databridge/control-plane/views/attempts/attempt-view';
import { WaitingEvents } from '@databridge/control-plane/views/attempts/waiting-events';
import { createLogger } from '@databridge/kernel/log';
import { Tokens } from '@databridge/kernel/secrets/tokens';
import { describedEventType } from '@databridge/schemas/event/event-types';
import { type Attempt, encodeAttempts } from '@databridge/schemas/records/attempts';
import type { Invitation } from '@databridge/schemas/records/invitations';
import type { WorkerStatus } from '@databridge/schemas/records/status';
import { deliveryGroup, deliveryTopic } from '@databridge/schemas/records/topics';
import { defaultRetryPlan } from '@databridge/schemas/retries/retry-plan';
import { formatIssues, parseSubscription, type Subscription } from '@databridge/schemas/subscription/subscription';

/** The event of initech's that has failed 160 times: number 999,999 of attemptOf. */
export const FAILING_EVENT = '0b5e7a1c-0000-4000-8000-000000999999';

export const SAMPLE_TOKENS = {
  operator: Tokens.generate('ann', 'operator'),
  reader: Tokens.generate('bob', 'reader'),
  customer: Tokens.generate('acme-ops', 'customer', 'acme'),
};

export interface SampleOptions {
  /** In all; each of the first five has a state of its own. Default 5. */
  readonly customers?: number;
  /** In all. Default 2,000. */
  readonly attempts?: number;
  readonly portal?: Omit<PortalParts, 'files'>;
  /** Default: a free one. */
  readonly port?: number;
}

export interface SampleFleet {
  readonly origin: string;
  readonly api: Api;
  /** Attempts that are made now. */
  take(customer: string, attempts: readonly Partial<Attempt>[]): void;
  stop(): Promise<void>;
}

const log = createLogger('sample-fleet', 'silent');
const kafka = { brokers: ['127.0.0.1:1'], clientId: 'sample-fleet', log };
const plan = defaultRetryPlan();
const HOUR_MS = 3_600_000;

/**
 * @param portalDir the built portal
 */
export async function startSampleFleet(
  portalDir: string,
  { customers = 5, attempts = 2_000, portal = {}, port = 0 }: SampleOptions = {},
): Promise<SampleFleet> {
  const nowMs = Date.now();
  const names = ['acme', 'globex', 'initech', 'umbrella', 'wonka'];
  const rootCause = describedEventType('root-cause');
  for (let nth = names.length; nth < customers; nth++) names.push(`customer-${String(nth).padStart(4, '0')}`);
  const subscriptions = new Map(names.map((name) => [name, subscriptionOf(name)]));
  const statuses = new Map(names.map((name) => [name, statusOf(name, nowMs)]));
  const view = new AttemptView(kafka, { maxAttempts: 500_000, backMs: 0 }, nowMs);
  const rollups = new AttemptRollups();
  const waiting = new WaitingEvents(plan);
  view.listen(({ customer, attempt }) => {
    rollups.add(customer, attempt, Date.now());
    waiting.add(customer, attempt);
  });
  let offset = 0;
  const take = (customer: string, given: readonly Partial<Attempt>[]) => {
    const batch = given.map((one, nth) => ({ ...attemptOf(nth), at: Date.now(), ...one }));
    const value = Buffer.from(encodeAttempts({ customer, worker: 'worker-1', attempts: batch }));
    const record = { offset: offset++, timestampMs: nowMs, key: Buffer.from(customer), value, headers: {} };
    view.take({ partition: 0, records: [record] });
  };
  for (const [name, given] of attemptsOf(names, attempts, nowMs)) take(name, given);
  const operations = {
    ...{ log, kafka, retryPlan: plan, eventTypes: ['root-cause'] },
    admin: {
      listTopics: async () => names.map(deliveryTopic),
      committedOffsets: async (group: string) =>
        names
          .filter((name) => deliveryGroup(name) === group)
          .map((name) => ({ topic: deliveryTopic(name), partition: 0, offset: name === 'initech' ? 40 : 1_000 })),
    },
    subscriptions: async () => subscriptions,
    workerStatuses: async () => statuses,
    workers: () => [
      {
        ...{ isAlive: true, hasNamesake: false },
        silentForMs: 900,
        report: {
          ...{ worker: 'worker-1', version: '0.1.0', startedAtMs: nowMs - HOUR_MS, at: nowMs, intervalMs: 10_000 },
          ...{ partitions: Array.from({ length: 64 }, (_, nth) => nth), customers: names, failing: [] },
        },
      },
    ],
    operations: async () => new Map(),
    invitations: async () => new Map(invitationsAt(nowMs).map((one) => [one.id, one])),
    desk: { kids: ['k2', 'k1'], sealingKeys: [] },
    attemptCounts: async (asked: readonly string[]) =>
      new Map(asked.map((name) => [name, rollups.of(name, Date.now())])),
    attemptSeries: rollups.series.bind(rollups),
    lastDelivered: rollups.lastDelivered.bind(rollups),
    oldestWaiting: waiting.oldest.bind(waiting),
    watermarks: async (topics: readonly string[]) =>
      new Map(topics.map((topic) => [topic, [{ partition: 0, low: 0, high: 1_000 }]])),
  } as unknown as ControlPlaneContext;
  const api = await createApi({
    ...{ operations, attempts: view, log },
    events: { render: async () => ({ unreadable: 'made up' }), open: async () => ({ unreadable: 'made up' }) },
    intake: {
      eventTypes: rootCause === undefined ? [] : [rootCause],
      schemaIdOf: () => Promise.reject(new Error('made up')),
    },
    callers: new Tokens(
      Object.values(SAMPLE_TOKENS)
        .map(({ line }) => line)
        .join('\n'),
    ),
    facts: { egressAddresses: ['198.51.100.7/32'], awsPrincipal: 'arn:aws:iam::123456789012:role/databridge' },
    portal: { ...portal, files: readPortalFiles(portalDir) },
    writer: {
      ...{ isOwner: true, origin: undefined, owner: async () => undefined },
      change: () => Promise.reject(new Error('made up')),
    },
  });
  const origin = await api.listen({ host: '127.0.0.1', port });
  return {
    ...{ origin, api, take },
    async stop() {
      await api.close();
      await view.stop();
    },
  };
}

function invitationsAt(nowMs: number): Invitation[] {
  const base = {
    ...{ kind: 'secrets' as const, places: ['authentication.key'], by: { name: 'ann', role: 'operator' } },
    ...{ createdAtMs: nowMs - HOUR_MS, expiresAtMs: nowMs + HOUR_MS, changedAtMs: nowMs - HOUR_MS, failures: 0 },
    code: { kid: 'k2', mac: 'made up' },
  };
  return [
    { ...base, id: 'invitation-1', customer: 'acme', state: 'open' },
    { ...base, id: 'invitation-2', customer: 'globex', state: 'locked', failures: 5 },
    { ...base, id: 'invitation-3', customer: 'wonka', kind: 'setup', places: [], state: 'used' },
    { ...base, id: 'invitation-4', customer: 'initech', state: 'open', expiresAtMs: nowMs - 1 },
  ];
}

function subscriptionOf(customer: string): Subscription {
  const at = 'authentication.key';
  const parsed = parseSubscription({
    ...{ customer, eventTypes: ['root-cause'], match: { company: [customer] } },
    destination: { type: 'http', url: `https://${customer}.example/events` },
    authentication: { type: 'api-key', name: 'x-api-key', key: 'sealed' },
    state: customer === 'wonka' ? 'paused' : 'active',
  });
  if (!parsed.ok) throw new Error(formatIssues(parsed.issues));
  return {
    ...parsed.subscription,
    ...(customer === 'acme' && { fallbacks: { [at]: { secret: 'sealed', untilMs: Date.now() + HOUR_MS } } }),
    ...(customer === 'wonka' && { awaitsApproval: true as const }),
  };
}

function statusOf(customer: string, nowMs: number): WorkerStatus {
  const base = { customer, worker: 'worker-1', at: nowMs, breaker: 'closed' as const, lastSuccessAtMs: nowMs - 2_000 };
  if (customer === 'globex') {
    const held = { because: 'deauthorized' as const, sinceMs: nowMs - 3 * HOUR_MS, detail: 'HTTP 401' };
    return { ...base, lastSuccessAtMs: nowMs - 3 * HOUR_MS, held };
  }
  if (customer === 'initech') return { ...base, breaker: 'open', lastSuccessAtMs: nowMs - 21 * HOUR_MS };
  if (customer === 'umbrella')
    return {
      ...base,
      lastSuccessAtMs: nowMs - 26 * HOUR_MS,
      disabledEpoch: 0,
      disabledBecause: 'no success for 24 hours',
    };
  return base;
}

const attemptOf = (nth: number): Attempt => ({
  ...{ eventId: `0b5e7a1c-0000-4000-8000-${String(nth).padStart(12, '0')}`, attempt: 1, at: 0 },
  ...{ durationMs: 20 + ((nth * 37) % 180), outcome: 'delivered', lane: 'main', status: 200 },
  source: `root-cause.events/0/${nth}`,
});

/** A day of attempts, the oldest first; the first customers get more of them than the others. */
function attemptsOf(names: readonly string[], total: number, nowMs: number): Map<string, Partial<Attempt>[]> {
  const byName = new Map<string, Partial<Attempt>[]>(names.map((name) => [name, []]));
  const fromMs = nowMs - 23 * HOUR_MS;
  for (let nth = 0; nth < total; nth++) {
    const name = names[(nth * 7) % (nth % 3 === 0 ? names.length : Math.min(names.length, 2))] ?? '';
    const at = fromMs + (nth / total) * 23 * HOUR_MS;
    const given = byName.get(name) ?? [];
    if (nth % 11 === 3) given.push({ ...attemptOf(nth), at, outcome: 'retry', status: 503, error: 'HTTP 503' });
    const isRefused = nth % 97 === 5;
    given.push({
      ...{ ...attemptOf(nth), at: at + 10_000, attempt: nth % 11 === 3 ? 2 : 1 },
      ...(isRefused && { outcome: 'refused' as const, status: 422, answer: '{"error":"unknown folder"}' }),
    });
  }
  byName.get('initech')?.push({
    ...{ ...attemptOf(999_999), at: nowMs - 20 * HOUR_MS, outcome: 'retry' },
    ...{ status: 503, error: 'HTTP 503', answer: 'Service Unavailable' },
  });
  byName.get('initech')?.push({
    ...{ ...attemptOf(999_999), at: nowMs - 60_000, outcome: 'retry', attempt: 160 },
    ...{ status: 503, error: 'HTTP 503' },
  });
  return byName;
}
