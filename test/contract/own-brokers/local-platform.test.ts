import { execFile, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { kafkaTool } from '@databridge/local-platform/jvm/kafka-tool';
import { startJvmPlatform } from '@databridge/local-platform/jvm/platform-jvm';
import type { ControllablePlatform } from '@databridge/local-platform/platform';
import { readMachineConfig } from '@databridge/local-platform/platform-config';
import { rootCauseEvent } from '../../harness/events.ts';
import { upstreamKafka } from '../../harness/kafka/upstream-kafka.ts';
import { platform } from '../../harness/platform.ts';
import { startUpstream } from '../../harness/produce.ts';
import { freshName } from '../../harness/topics.ts';

const holder = fileURLToPath(new URL('../../harness/kafka/platform-holder.ts', import.meta.url));
let dir: string;

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'databridge-test-'));
});

afterEach(async () => {
  await rm(dir, { recursive: true, force: true });
});

describe('a platform with a data directory', () => {
  const start = () => startJvmPlatform({ ...readMachineConfig(process.env), dataDir: dir });

  test('keeps records and schema ids, through a clean restart on other ports and through crashes', async () => {
    const intake = freshName('intake');
    let embedded = await start();
    try {
      await produceOne(embedded, freshName('another')); // So that the id that counts is not the first.
      const schemaId = await produceOne(embedded, intake);
      expect(await recordCount(embedded, intake)).toBe(1);
      const { brokers } = embedded;

      await embedded.stop();
      embedded = await start();
      expect(embedded.brokers).not.toEqual(brokers);
      expect(await produceOne(embedded, intake)).toBe(schemaId);
      expect(await recordCount(embedded, intake)).toBe(2);

      await Promise.all([embedded.stopBroker('kill'), embedded.stopRegistry('kill')]);
      await Promise.all([embedded.startBroker(), embedded.startRegistry()]);
      expect(await produceOne(embedded, intake)).toBe(schemaId);
      expect(await recordCount(embedded, intake)).toBe(3);
    } finally {
      await embedded.stop();
    }
    expect(await processesNaming(dir)).toEqual([]);
  });
});

test('data that are in use are refused, and the program that uses them is not disturbed', async () => {
  const options = { ...readMachineConfig(process.env), dataDir: dir };
  const owner = fork(holder, [dir], { execArgv: [] });
  const [{ brokers }] = (await once(owner, 'message')) as [{ brokers: string[] }];

  await expect(startJvmPlatform(options)).rejects.toMatchObject({ code: 'DB_PLATFORM_DATA_IN_USE' });

  const topics = upstreamKafka(brokers).admin();
  await topics.connect();
  expect(await topics.listTopics()).toEqual([]);
  await topics.disconnect();

  // Its JVMs take a moment to end: the next start waits for them.
  owner.kill('SIGKILL');
  await once(owner, 'exit');
  const next = await startJvmPlatform(options);
  await next.stop();
});

test.each([
  ['SIGKILL', 'temporary'],
  ['SIGTERM', 'kept'],
] as const)('after %s of its owner nothing of a platform is left running (%s data)', async (signal, data) => {
  const owner = fork(holder, data === 'kept' ? [dir] : [], { execArgv: [], env: { ...process.env, TMPDIR: dir } });
  await once(owner, 'message');
  // Two JVMs and a guard for each.
  expect(await processesNaming(dir)).toHaveLength(4);

  owner.kill(signal);

  await until(async () => (await processesNaming(dir)).length === 0);
  expect((await readdir(dir)).includes('kafka')).toBe(data === 'kept');
  if (data === 'temporary') expect(await readdir(dir)).toEqual([]);
});

test("Kafka's own tools run against the broker", async () => {
  const topic = freshName('tool');
  const { brokers } = platform();
  const upstream = await startUpstream(topic);
  await upstream.stop();
  const args = ['--bootstrap-server', brokers.join(','), '--topic', topic];

  const produced = await kafkaTool('org.apache.kafka.tools.ConsoleProducer', args, 'one\ntwo\n');

  expect(produced).toMatchObject({ exitCode: 0 });
  expect(await recordCount(platform(), topic)).toBe(2);
});

async function produceOne(target: Pick<ControllablePlatform, 'brokers' | 'registryUrl'>, topic: string) {
  const upstream = await startUpstream(topic, target);
  await upstream.produce([rootCauseEvent()]);
  await upstream.stop();
  return upstream.schemaId;
}

async function recordCount({ brokers }: { brokers: string[] }, topic: string): Promise<number> {
  const admin = upstreamKafka(brokers).admin();
  await admin.connect();
  const offsets = await admin.fetchTopicOffsets(topic);
  await admin.disconnect();
  return offsets.reduce((sum, { low, high }) => sum + Number(high) - Number(low), 0);
}

/** Command lines of running processes in which `text` stands. */
async function processesNaming(text: string): Promise<string[]> {
  const { stdout } = await promisify(execFile)('ps', ['-eww', '-o', 'args=']);
  return stdout.split('\n').filter((line) => line.includes(text) && !line.includes('platform-holder'));
}

async function until(isMet: () => Promise<boolean>, timeoutMs = 60_000): Promise<void> {
  const deadlineMs = performance.now() + timeoutMs;
  while (!(await isMet())) {
    if (performance.now() > deadlineMs) throw new Error(`Not within ${timeoutMs} ms`);
    await delay(100);
  }
}
