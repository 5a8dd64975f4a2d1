/** Intake records that are made to stop whoever reads them. None of them may be seen by anybody but the quarantine. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { gzipSync } from 'node:zlib';
import { frame } from '@databridge/schemas/event/confluent-frame';
import { rootCauseEvent } from '../events.ts';
import { platform } from '../platform.ts';
import type { IntakeRecord, UpstreamProducer } from '../produce.ts';
import { freshName } from '../topics.ts';

const avscFile = new URL('../../../schemas/avro/root-cause.v1.0.avsc', import.meta.url);
const HEADERS = 100_000;
const BRANCHES = 2_000;
const DEPTH = 100_000;
/** Twice what a batch may hold, and more. */
export const EXPANDED_BYTES = 40 * 1024 * 1024;

/** One record of each kind that fits into a batch as it is. */
export async function poisonFor(upstream: UpstreamProducer): Promise<readonly IntakeRecord[]> {
  const good = await upstream.encode(rootCauseEvent());
  const [unions, recursive] = await Promise.all([registered(await unionBomb()), registered(await endlessList())]);
  const headers = Object.fromEntries(Array.from({ length: HEADERS }, (_, n) => [`h${n}`, '']));
  return [
    { key: 'headers', value: good, headers },
    { key: 'json', value: Buffer.from('{"not":"avro"}') },
    { key: 'cut', value: good.subarray(0, good.length >> 1) },
    // A string that says it has 2^40 bytes.
    { key: 'length', value: frame(upstream.schemaId, Buffer.from('80808080808040', 'hex')) },
    { key: 'union', value: frame(unions, Buffer.alloc(1_000)) },
    // Each byte opens the next record of a list that contains itself.
    { key: 'depth', value: frame(recursive, Buffer.alloc(DEPTH, 2)) },
  ];
}

/**
 * The records of a batch, one, which expand past what a batch may contain. Packed once: to do it for each batch would take
 * more processor time than any reader of it.
 */
export function packedBomb(): Buffer {
  const require = createRequire(import.meta.url);
  const encodeRecord = require('kafkajs/src/protocol/recordBatch/record/v0') as (record: object) => { buffer: Buffer };
  const { buffer } = encodeRecord({ offsetDelta: 0, timestampDelta: 0, value: Buffer.alloc(EXPANDED_BYTES) });
  return gzipSync(buffer);
}

export interface Flood {
  /** @returns how many records were sent */
  stop(): Promise<number>;
}

/** Floods the intake from a process of its own. Resolves when the first poison has been written. */
export async function startFlood(topic: string): Promise<Flood> {
  const child = fork(new URL('poison-process.ts', import.meta.url), [], {
    execArgv: [],
    env: { ...process.env, POISON_TOPIC: topic, NODE_OPTIONS: '' },
  });
  floods.add(child);
  await once(child, 'message');
  return {
    async stop() {
      const ended = once(child, 'message');
      child.send('stop');
      const [{ records }] = (await ended) as [{ records: number }];
      return records;
    },
  };
}

const floods = new Set<ChildProcess>();

/** Only where tests run: the flood's own process imports this file too. */
globalThis.afterAll?.(() => {
  for (const child of floods) child.kill();
});

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
