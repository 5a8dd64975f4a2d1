/** Checks of Kafka itself. Each check returns a list of findings; a missing right is a finding. */
import { messageOf } from '@databridge/kernel/errors';
import type { KafkaAdmin } from '@databridge/kernel/kafka/admin/admin';
import type { ClusterProbe } from '@databridge/kernel/kafka/cluster-probe';
import { KafkaPortError } from '@databridge/kernel/kafka/errors';
import {
  CONTROL_PLANE_GROUP,
  customerTopics,
  DELIVERY_RETENTION_MS,
  DELIVERY_WORKERS_GROUP,
  deliveryGroup,
  deliveryTopic,
  FAN_OUT_GROUP,
  systemTopics,
} from '@databridge/schemas/records/topics';
import { type Check, type Finding, fault, named, ok, unknown } from './finding.ts';

export interface KafkaFacts {
  readonly probe: ClusterProbe;
  readonly admin: Pick<KafkaAdmin, 'differences' | 'groupState' | 'topicSettings' | 'watermarks' | 'committedOffsets'>;
  readonly intakeTopics: readonly string[];
  readonly customers: readonly string[];
}

const GRANT = 'Grant it as docs/own-kafka.md lists it for the user "control-plane".';
const isRefusal = (error: unknown) => error instanceof KafkaPortError && error.code === 'DB_KAFKA_REFUSED';

/** Runs a check; a refusal becomes a finding about rights, any other failure a finding that the result is unknown. */
export async function examined(check: Check, right: string, run: () => Promise<Finding[]>): Promise<Finding[]> {
  try {
    return await run();
  } catch (error) {
    if (isRefusal(error)) return [missingRight(right, error)];
    return [
      unknown(check, `This could not be checked: ${messageOf(error)}`, 'Mend what the message names and ask again.'),
    ];
  }
}

const missingRight = (right: string, error: unknown) =>
  fault('rights', `Kafka refuses the control plane's user ${right}: ${messageOf(error)}.`, GRANT);

const RETENTION = 'offsets.retention.minutes';
const AUTO_CREATE = 'auto.create.topics.enable';
const MINUTE_MS = 60_000;

export async function examineBrokers({ probe }: Pick<KafkaFacts, 'probe'>): Promise<Finding[]> {
  const settings = await probe.brokerSettings([RETENTION, AUTO_CREATE]).catch((error: unknown) => {
    if (isRefusal(error)) return undefined;
    throw error;
  });
  if (settings === undefined) {
    return [
      unknown(
        'brokers',
        `The brokers' settings cannot be read: that needs the right DescribeConfigs on the cluster.`,
        `Grant it, or check there that ${RETENTION} is at least ${DELIVERY_RETENTION_MS / MINUTE_MS} and ${AUTO_CREATE} is false.`,
      ),
    ];
  }
  const faults: Finding[] = [];
  for (const [broker, { [RETENTION]: minutes, [AUTO_CREATE]: creates }] of settings) {
    if (Number(minutes) * MINUTE_MS < DELIVERY_RETENTION_MS) {
      faults.push(
        fault(
          'brokers',
          `Broker ${broker} has ${RETENTION}=${minutes}, which is less than the 14 days for which delivery topics keep records.`,
          `Set it to at least ${DELIVERY_RETENTION_MS / MINUTE_MS}: a customer that is paused for longer loses its committed offsets, and goes on from those in its status record.`,
        ),
      );
    }
    if (creates === 'true') {
      faults.push(
        fault(
          'brokers',
          `Broker ${broker} has ${AUTO_CREATE}=true.`,
          'Set it to false: a deleted or misspelt topic comes back with settings that lose records.',
        ),
      );
    }
  }
  return faults.length > 0 ? faults : [ok('brokers', `${settings.size} with the required settings.`)];
}

export async function examineTopics(facts: KafkaFacts): Promise<Finding[]> {
  const { admin, probe, intakeTopics, customers } = facts;
  // Upkeep sets the retention, and raises it for customers that wait; retry lanes may be created at the first retry.
  const main = customers.flatMap((customer) =>
    customerTopics(customer, [])
      .filter(({ topic }) => topic === deliveryTopic(customer))
      .map((spec) => ({ ...spec, config: { 'message.timestamp.type': 'LogAppendTime' } })),
  );
  const intake = intakeTopics.map((topic) => ({ topic, partitions: 0, config: {} }));
  const { missing, mismatched } = await admin.differences([...systemTopics(), ...main, ...intake]);
  const faults: Finding[] = [];
  for (const topic of missing) {
    // Kafka omits topics that we may not describe from its list.
    const isRefused = await admin.watermarks(topic).then(
      () => false,
      (error: unknown) => isRefusal(error),
    );
    faults.push(
      isRefused
        ? fault('rights', `Topic ${topic} is missing, or the control plane's user may not Describe it.`, GRANT)
        : fault(
            'topics',
            `Topic ${topic} does not exist.`,
            customers.some((customer) => deliveryTopic(customer) === topic)
              ? 'Put the subscription again ("databridge apply"): that creates it. What it held is lost; "databridge reconcile" shows how much.'
              : 'Run "databridge topics create"; an intake topic belongs to the producers.',
          ),
    );
  }
  for (const { topic, setting, wanted, found } of mismatched) {
    // Producers decide about these topics.
    if (intakeTopics.includes(topic)) continue;
    faults.push(
      fault(
        'topics',
        `Topic ${topic} has ${setting}=${found || '(not set)'}, and needs ${wanted}.`,
        setting === 'partitions'
          ? 'Create it again with that number while no service runs: keys are placed by it.'
          : `Set it: kafka-configs.sh --alter --entity-type topics --entity-name ${topic} --add-config ${setting}=${wanted}`,
      ),
    );
  }
  const partitions = await probe.partitions();
  const leaderless = partitions
    .filter(({ hasLeader }) => !hasLeader)
    .map(({ topic, partition }) => `${topic}/${partition}`);
  if (leaderless.length > 0) {
    faults.push(
      fault('topics', `These partitions have no leader: ${named(leaderless)}.`, 'Start the brokers that contain them.'),
    );
  }
  const thin = partitions
    .filter(({ hasLeader, inSync, replicas }) => hasLeader && inSync < replicas)
    .map(({ topic, partition }) => `${topic}/${partition}`);
  if (thin.length > 0) {
    faults.push(
      fault(
        'topics',
        `These partitions have replicas that are not in sync: ${named(thin)}.`,
        'Look which broker is down or slow: with one replica less, writes may be refused.',
      ),
    );
  }
  if (faults.length > 0) return faults;
  return [ok('topics', `${partitions.length} partitions with leaders and all replicas in sync; settings as required.`)];
}

export async function examineRights({ admin, probe, customers }: KafkaFacts): Promise<Finding[]> {
  const [customer] = customers;
  const tries: (readonly [right: string, run: () => Promise<unknown>])[] = [
    ['to Create topics named "databridge.*"', () => probe.checkMayCreate('databridge.doctor')],
    ['to Create topics named "delivery.*"', () => probe.checkMayCreate('delivery.databridge-doctor')],
    ...systemTopics().map(
      ({ topic }) => [`to DescribeConfigs of topic ${topic}`, () => admin.topicSettings([topic])] as const,
    ),
    ...[FAN_OUT_GROUP, DELIVERY_WORKERS_GROUP, CONTROL_PLANE_GROUP].map(
      (group) => [`to Describe group ${group}`, () => admin.groupState(group)] as const,
    ),
  ];
  if (customer !== undefined) {
    const topic = deliveryTopic(customer);
    tries.push(
      [`to Describe group ${deliveryGroup(customer)}`, () => admin.committedOffsets(deliveryGroup(customer))],
      [
        `to AlterConfigs of topic ${topic}`,
        async () => probe.checkMayAlter(topic, (await admin.topicSettings([topic])).get(topic) ?? {}),
      ],
    );
  }
  const faults: Finding[] = [];
  for (const [right, run] of tries) {
    try {
      await run();
    } catch (error) {
      if (isRefusal(error)) faults.push(missingRight(right, error));
      // Another check reports a missing topic.
      else if (!(error instanceof KafkaPortError && error.code === 'DB_KAFKA_UNKNOWN_TOPIC')) throw error;
    }
  }
  return faults.length > 0
    ? faults
    : [ok('rights', `The control plane's user may do what was tried: ${tries.length} rights.`)];
}

export async function examineGroups({ admin }: Pick<KafkaFacts, 'admin'>): Promise<Finding[]> {
  const [fanOut, writers] = await Promise.all([admin.groupState(FAN_OUT_GROUP), admin.groupState(CONTROL_PLANE_GROUP)]);
  const faults: Finding[] = [];
  if (fanOut.members.length === 0) {
    faults.push(
      fault(
        'groups',
        `No fan-out service is a member of the group "${FAN_OUT_GROUP}": events stay in the intake topic.`,
        'Start fan-out, and look for errors in its log. It goes on where it was.',
      ),
    );
  }
  if (writers.members.length === 0) {
    faults.push(
      fault(
        'groups',
        `No control plane is a member of the group "${CONTROL_PLANE_GROUP}": nobody makes changes.`,
        'Look for errors in the control plane’s log.',
      ),
    );
  }
  return faults.length > 0 ? faults : [ok('groups', `Fan-out runs (${fanOut.members.length}), and so does a writer.`)];
}
