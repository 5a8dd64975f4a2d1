import { Child } from '@databridge/demo/child';
import type { Flow, Sink } from '@databridge/demo/customers/sink-process';
import type { PostOrder } from './limit-post.ts';
import type { Scale } from './scale.ts';

const CONNECTIONS = 64;

export interface PathFlowOptions {
  /** In the sink's address. */
  readonly name: string;
  /** Beside this file. */
  readonly script: 'delivery-path.ts' | 'limit-post.ts';
  readonly nodeFlags: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

/** Runs a process that posts all events to the sink. @returns what the sink saw, and the processor time it took */
export async function pathFlow(
  sink: Sink,
  scale: Scale,
  { name, script, nodeFlags, env = {} }: PathFlowOptions,
): Promise<Flow> {
  await sink.reset();
  const child = new Child(name, new URL(script, import.meta.url), env, { nodeFlags });
  await child.message((message): message is object => message !== null);
  const { deliverEvents: count, deliverWarmUp: warmUp } = scale;
  child.send({ url: sink.url(`/accept/${name}`), count, connections: CONNECTIONS } satisfies PostOrder);
  const flow = await sink.flow(`/accept/${name}`, child.pid, { requests: count, warmUp });
  await child.stop();
  return flow;
}
