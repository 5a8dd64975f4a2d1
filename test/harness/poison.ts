/** Intake records that are made to stop whoever reads them. None of them may be seen by anybody but the quarantine. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { frame } from '@databridge/schemas/event/confluent-frame';
import { CompressionTypes } from 'kafkajs';
import { rootCauseEvent } from './events.ts';
import { platform } from './platform.ts';
import { type IntakeRecord, startUpstream, type UpstreamProducer } from './produce.ts';
import { freshName } from './topics.ts';

const avscFile = new URL('../../schemas/avro/root-cause.v1.0.avsc', import.meta.url);
const HEADERS = 100_000;
const BRANCHES = 2_000;
const DEPTH = 100_000;
const EXPANDED_BYTES = 80 * 1024 * 1024;

export interface Poison {
  /** One record of each kind that fits into a batch as it is. */
  readonly records: readonly IntakeRecord[];
  /** One record that expands past what a batch may hold. */
  readonly bomb: IntakeRecord;
}

export async function poisonFor(upstream: UpstreamProducer): Promise<Poison> {
  const good = await upstream.encode(rootCauseEvent());
  const [unions, recursive] = await Promise.all([registered(await unionBomb()), registered(await endlessList())]);
  const headers = Object.fromEntries(Array.from({ length: HEADERS }, (_, n) => [`h${n}`, '']));
  const records = [
    { key: 'headers', value: good, headers },
    { key: 'json', value: Buffer.from('{"not":"avro"}') },
    { key: 'cut', value: good.subarray(0, good.length >> 1) },
    // A string that says it has 2^40 bytes.
    { key: 'length', value: frame(upstream.schemaId, Buffer.from('80808080808040', 'hex')) },
    { key: 'union', value: frame(unions, Buffer.alloc(1_000)) },
    // Each byte opens the next record of a list that contains itself.
    { key: 'depth', value: frame(recursive, Buffer.alloc(DEPTH, 2)) },
  ];
  return { records, bomb: { key: 'bomb', value: Buffer.alloc(EXPANDED_BYTES) } };
}

/** Sends the bomb beside `upstream`, compressed. */
export async function sendBomb(upstream: UpstreamProducer, { bomb }: Poison): Promise<void> {
  const packed = await startUpstream(upstream.topic, { compression: CompressionTypes.GZIP });
  await packed.produceRaw([bomb]);
  await packed.stop();
}

/**
 * Floods the intake from a process of its own while `work` runs.
 * @returns how many records were sent
 */
export async function floodDuring(topic: string, work: () => Promise<void>): Promise<number> {
  const child = fork(new URL('poison-process.ts', import.meta.url), [], {
    execArgv: [],
    env: { ...process.env, POISON_TOPIC: topic, NODE_OPTIONS: '' },
  });
  try {
    await once(child, 'message');
    await work();
    const ended = once(child, 'message');
    child.send('stop');
    const [{ records }] = (await ended) as [{ records: number }];
    return records;
  } finally {
    child.kill();
  }
}

/** Under a subject of its own, where no rule of compatibility stands in the way. @returns its id */
async function registered(schema: object): Promise<number> {
  const subject = freshName('poison');
  const answer = await fetch(`${platform().registryUrl}/subjects/${subject}/versions`, {
    method: 'POST',
    headers: { 'content-type': 'application/vnd.schemaregistry.v1+json' },
    body: JSON.stringify({ schema: JSON.stringify(schema) }),
  });
  const { id } = (await answer.json()) as { id?: number };
  if (id === undefined) throw new Error(`the registry answered ${answer.status} to a schema`);
  return id;
}

async function rootCause(): Promise<{ fields: object[] }> {
  return JSON.parse(await readFile(avscFile, 'utf8')) as { fields: object[] };
}

async function unionBomb(): Promise<object> {
  const branches = Array.from({ length: BRANCHES }, (_, n) => ({
    ...{ type: 'record', name: `Branch${n}` },
    fields: Array.from({ length: 5 }, (__, at) => ({ name: `f${at}`, type: 'string' })),
  }));
  const schema = await rootCause();
  return { ...schema, fields: [{ name: 'bomb', type: ['null', ...branches] }, ...schema.fields] };
}

async function endlessList(): Promise<object> {
  const node = { type: 'record', name: 'Node', fields: [{ name: 'inner', type: ['null', 'Node'] }] };
  const schema = await rootCause();
  return { ...schema, fields: [{ name: 'deep', type: ['null', node] }, ...schema.fields] };
}
