import type { ProducedRecord } from '@databridge/kernel/kafka/records';
import type { Invitation } from '@databridge/schemas/records/invitations';
import type { Operation } from '@databridge/schemas/records/operations';
import {
  CERTIFICATE_REQUESTS_TOPIC,
  IDEMPOTENCY_TOPIC,
  INVITATIONS_TOPIC,
  OPERATIONS_TOPIC,
  WORKERS_TOPIC,
} from '@databridge/schemas/records/topics';
import type { SeenWorker } from '../views/worker-table.ts';
import { DEAD_WORKERS_KEPT_MS, forgetOld, INVITATIONS_KEPT_MS, OPERATIONS_KEPT_MS } from './forget-old.ts';

const NOW_MS = 1_800_000_000_000;

const operation = (id: string, state: Operation['state'], finishedAgoMs?: number): [string, Operation] => [
  id,
  {
    ...{ id, kind: 'redrive', by: { name: 'ann', role: 'operator' }, input: {}, state, step: state, checkpoint: {} },
    ...{ startedAtMs: 0, updatedAtMs: 0 },
    ...(finishedAgoMs !== undefined && { finishedAtMs: NOW_MS - finishedAgoMs }),
  },
];
const invitation = (id: string, endedAgoMs: number): [string, Invitation] => [
  id,
  {
    ...{ id, customer: 'acme', kind: 'secrets', places: [], by: { name: 'ann', role: 'operator' } },
    ...{ createdAtMs: 0, changedAtMs: 0, expiresAtMs: NOW_MS - endedAgoMs, failures: 0, state: 'open' },
    code: { kid: 'k', mac: 'm' },
  },
];
const worker = (name: string, silentForMs: number): SeenWorker => ({
  report: {
    ...{ worker: name, version: '1.0.0', startedAtMs: 0, at: 0, intervalMs: 10_000 },
    ...{ partitions: [], customers: [], failing: [] },
  },
  ...{ silentForMs, isAlive: silentForMs <= 30_000, hasNamesake: false, clockAheadMs: 0 },
});

test('operations and invitations that ended long ago, workers silent for long and expired keys get a tombstone, all others stay', async () => {
  const written: ProducedRecord[] = [];
  const context = {
    operations: async () =>
      new Map([
        operation('old', 'done', OPERATIONS_KEPT_MS + 1),
        operation('old-failure', 'failed', OPERATIONS_KEPT_MS + 1),
        operation('recent', 'done', OPERATIONS_KEPT_MS - 1),
        operation('runs', 'running'),
      ]),
    kept: { expired: (nowMs: number) => (nowMs === NOW_MS ? ['place'] : []) },
    workers: () => [worker('long-dead', DEAD_WORKERS_KEPT_MS + 1), worker('dead', 60_000), worker('alive', 1_000)],
    invitations: async () =>
      new Map([
        invitation('old-link', INVITATIONS_KEPT_MS + 1),
        invitation('link', INVITATIONS_KEPT_MS - 1),
        invitation('open', 0),
      ]),
    certificateRequests: async () =>
      new Map(
        ['old-link', 'link', 'open', 'made elsewhere'].map((id) => [
          `customer of ${id}`,
          { ...{ id, customer: 'acme', commonName: 'acme', csr: '', sealedKey: '' }, madeAtMs: 0 },
        ]),
      ),
    producer: {
      connect: async () => undefined,
      disconnect: async () => undefined,
      sendOne: () => Promise.reject(new Error('nobody asks where')),
      send: async (records: readonly ProducedRecord[]) => void written.push(...records),
    },
  };
  expect(await forgetOld(context, NOW_MS)).toEqual({
    operations: ['old', 'old-failure'],
    workers: ['long-dead'],
    keys: 1,
    invitations: ['old-link'],
    keyPairs: ['customer of old-link', 'customer of link'],
  });
  expect(written).toEqual([
    { topic: OPERATIONS_TOPIC, key: 'old', value: null },
    { topic: OPERATIONS_TOPIC, key: 'old-failure', value: null },
    { topic: INVITATIONS_TOPIC, key: 'old-link', value: null },
    { topic: CERTIFICATE_REQUESTS_TOPIC, key: 'customer of old-link', value: null },
    { topic: CERTIFICATE_REQUESTS_TOPIC, key: 'customer of link', value: null },
    { topic: WORKERS_TOPIC, key: 'long-dead', value: null },
    { topic: IDEMPOTENCY_TOPIC, key: 'place', value: null },
  ]);
});
