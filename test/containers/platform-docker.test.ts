/** Kafka and registry as containers behave as those on the local Java do. */
import { fork } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { KAFKA_IMAGE, REGISTRY_IMAGE } from '@databridge/local-platform/docker/docker';
import { startDockerPlatform, volumesOf } from '@databridge/local-platform/docker/platform-docker';
import type { Platform } from '@databridge/local-platform/platform';
import { getContainerRuntimeClient } from 'testcontainers';
import { rootCauseEvent } from '../harness/events.ts';
import { eventually } from '../harness/eventually.ts';
import { upstreamKafka } from '../harness/kafka/upstream-kafka.ts';
import { startUpstream } from '../harness/produce.ts';
import { freshName } from '../harness/topics.ts';

const dataDir = `/test/${randomUUID()}`;
const { dockerode } = (await getContainerRuntimeClient()).container;

afterAll(async () => {
  for (const volume of Object.values(volumesOf(dataDir))) {
    await dockerode
      .getVolume(volume)
      .remove()
      .catch(() => undefined);
  }
});

test('data and schema ids outlive a clean restart, and a crash of both', async () => {
  const intake = freshName('intake');
  let platform = await startDockerPlatform({ dataDir });
  try {
    await produceOne(platform, freshName('another')); // So that the id that counts is not the first.
    const schemaId = await produceOne(platform, intake);
    await platform.stop();
    platform = await startDockerPlatform({ dataDir });
    expect(await produceOne(platform, intake)).toBe(schemaId);

    await Promise.all([platform.stopBroker('kill'), platform.stopRegistry('kill')]);
    await Promise.all([platform.startBroker(), platform.startRegistry()]);
    expect(await produceOne(platform, intake)).toBe(schemaId);
    expect(await recordCount(platform, intake)).toBe(3);
  } finally {
    await platform.stop();
  }
}, 300_000);

test('after SIGKILL of its owner no container is left', async () => {
  const holder = fileURLToPath(new URL('../harness/kafka/platform-holder.ts', import.meta.url));
  const owner = fork(holder, [], { execArgv: [] });
  const [{ brokers }] = (await once(owner, 'message')) as [Platform];
  const port = Number(brokers[0]?.split(':')[1]);
  const containersAtPort = async () => {
    const running = await dockerode.listContainers();
    return running.filter(({ Ports }) => Ports.some(({ PublicPort }) => PublicPort === port)).length;
  };
  expect(await containersAtPort()).toBe(1);

  owner.kill('SIGKILL');

  await eventually(containersAtPort, (count) => count === 0, 60_000);
}, 180_000);

test('the compose file runs the same versions', () => {
  const compose = readFileSync(new URL('../../docker-compose.yml', import.meta.url), 'utf8');
  for (const image of [KAFKA_IMAGE, REGISTRY_IMAGE]) expect(compose).toContain(`image: ${image}\n`);
});

async function produceOne(target: Pick<Platform, 'brokers' | 'registryUrl'>, topic: string): Promise<number> {
  const upstream = await startUpstream(topic, target);
  await upstream.produce([rootCauseEvent()]);
  await upstream.stop();
  return upstream.schemaId;
}

async function recordCount({ brokers }: Pick<Platform, 'brokers'>, topic: string): Promise<number> {
  const admin = upstreamKafka(brokers).admin();
  await admin.connect();
  const offsets = await admin.fetchTopicOffsets(topic);
  await admin.disconnect();
  return offsets.reduce((sum, { low, high }) => sum + Number(high) - Number(low), 0);
}
