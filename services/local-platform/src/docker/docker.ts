import { setTimeout as delay } from 'node:timers/promises';
import { messageOf } from '@databridge/kernel/errors';
import { KAFKA_VERSION, REGISTRY_VERSION } from '../jvm/artifacts.ts';
import type { FetchProgress } from '../jvm/fetch-progress.ts';
import type { MachineConfig } from '../platform-config.ts';

/** The versions are those of the JVMs, so that both ways behave alike; `docker-compose.yml` names them too. */
export const KAFKA_IMAGE = `apache/kafka:${KAFKA_VERSION}`;
export const REGISTRY_IMAGE = `apicurio/apicurio-registry-mem:${REGISTRY_VERSION}`;

/** The images are 800 MB in all, over a slow line; a registry that can't be reached fails within seconds. */
const PULL_WITHIN_MS = 15 * 60_000;

export type DockerAnswer = { isUsable: true } | { isUsable: false; reason: string };

/** Tells whether containers can be started here, and pulls the images that are missing. */
export async function askDocker({ mayHaveDocker }: MachineConfig, progress?: FetchProgress): Promise<DockerAnswer> {
  if (!mayHaveDocker) return { isUsable: false, reason: 'Docker does not answer' };
  // Loading it takes half a second, which the machines without Docker are spared.
  const { getContainerRuntimeClient, getReaper, ImageName } = await import('testcontainers');
  const client = await getContainerRuntimeClient().catch(() => undefined);
  if (client === undefined) return { isUsable: false, reason: 'Docker does not answer' };
  for (const image of [KAFKA_IMAGE, REGISTRY_IMAGE]) {
    const name = ImageName.fromString(image);
    if (await client.image.exists(name)) continue;
    progress?.note(`Pulling ${image} (once)`);
    const failure = await within(PULL_WITHIN_MS, client.image.pull(name));
    if (failure === undefined) continue;
    progress?.note(`It can't be pulled: ${failure}`);
    return { isUsable: false, reason: `${image} is not there and can't be pulled: ${failure}` };
  }
  // It removes the containers of a process that dies; an image as well.
  const failure = await within(PULL_WITHIN_MS, getReaper(client));
  if (failure === undefined) return { isUsable: true };
  progress?.note(`Docker can't run the helper that removes containers: ${failure}`);
  return { isUsable: false, reason: `testcontainers' own container does not start: ${failure}` };
}

/** @returns why it failed; undefined: it succeeded */
async function within(timeoutMs: number, work: Promise<unknown>): Promise<string | undefined> {
  const timer = new AbortController();
  const overdue = delay(timeoutMs, `not within ${timeoutMs / 60_000} min`, { ref: false, signal: timer.signal });
  overdue.catch(() => undefined);
  try {
    return await Promise.race([work.then(() => undefined, messageOf), overdue]);
  } finally {
    timer.abort();
  }
}
