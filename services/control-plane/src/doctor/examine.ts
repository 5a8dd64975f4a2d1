import { messageOf } from '@databridge/kernel/errors';
import { ClusterProbe } from '@databridge/kernel/kafka/cluster-probe';
import type { SchemaRegistry } from '@databridge/kernel/registry/schema-registry';
import { VERSION } from '@databridge/kernel/version';
import type { EventType } from '@databridge/schemas/event/event-types';
import type { ControlPlaneContext } from '../context.ts';
import { unattendedCustomers } from '../views/status.ts';
import { within } from '../within.ts';
import { type Finding, fault, ok, unknown } from './finding.ts';
import { examineFleet } from './fleet-checks.ts';
import { examineBrokers, examined, examineGroups, examineRights, examineTopics } from './kafka-checks.ts';
import { examineRegistry } from './registry-check.ts';

export interface DoctorParts {
  readonly operations: Pick<
    ControlPlaneContext,
    'kafka' | 'admin' | 'subscriptions' | 'workerStatuses' | 'workers' | 'desk' | 'sharedSettings'
  >;
  /** The configured event types. */
  readonly eventTypes: readonly Pick<EventType, 'topic' | 'subject'>[];
  /** If omitted, the control plane has no address of a registry. */
  readonly registry?: Pick<SchemaRegistry, 'compatibilityOf'>;
}

export interface Examination {
  /** True if no check found a fault. */
  readonly isHealthy: boolean;
  readonly findings: readonly Finding[];
}

/** If Kafka does not answer within this time, it counts as down. */
const KAFKA_WITHIN_MS = 10_000;
const CHECK_WITHIN_MS = 20_000;

/** Checks everything that the service needs from its environment and from its own parts. Changes nothing. */
export async function examine(parts: DoctorParts): Promise<Examination> {
  const [kafka, registry] = await Promise.all([
    examineKafka(parts),
    examineRegistry(
      parts.registry,
      parts.eventTypes.map(({ subject }) => subject),
    ),
  ]);
  const findings = [...kafka, ...registry];
  return { isHealthy: findings.every(({ verdict }) => verdict !== 'fault'), findings };
}

async function examineKafka({ operations, eventTypes }: DoctorParts): Promise<Finding[]> {
  const { admin, kafka } = operations;
  const probe = new ClusterProbe(kafka);
  try {
    const brokers = await within(KAFKA_WITHIN_MS, probe.connect(), 'connect to Kafka');
    const subscriptions = await operations.subscriptions();
    const intakeTopics = eventTypes.map(({ topic }) => topic);
    const facts = { probe, admin, intakeTopics, customers: [...subscriptions.keys()].sort() };
    const inTime = (doing: string, run: () => Promise<Finding[]>) => () => within(CHECK_WITHIN_MS, run(), doing);
    return [
      ok('kafka', `${brokers} ${brokers === 1 ? 'broker' : 'brokers'} at ${kafka.brokers.join(', ')}.`),
      ...(await examined(
        'brokers',
        'to describe the cluster',
        inTime('describe the brokers', () => examineBrokers(facts)),
      )),
      ...(await examined(
        'topics',
        'to DescribeConfigs of topics',
        inTime('describe the topics', () => examineTopics(facts)),
      )),
      ...(await examined(
        'rights',
        'what was tried',
        inTime('try rights', () => examineRights(facts)),
      )),
      ...(await examined(
        'groups',
        'to Describe groups',
        inTime('describe the groups', () => examineGroups(facts)),
      )),
      ...examineFleet({
        subscriptions,
        workers: operations.workers(),
        unattended: await unattendedCustomers(operations),
        version: VERSION,
        keyIds: operations.desk.kids,
        settings: operations.sharedSettings,
      }),
    ];
  } catch (error) {
    return [
      fault(
        'kafka',
        `Kafka does not answer at ${kafka.brokers.join(', ')}: ${messageOf(error)}`,
        'Check KAFKA_BROKERS and its TLS and SASL settings, and that the brokers run. Nothing is lost: the services wait.',
      ),
      unknown('workers', 'Reports, customers, keys, clocks and versions are read from Kafka.'),
    ];
  } finally {
    await probe.disconnect();
  }
}
