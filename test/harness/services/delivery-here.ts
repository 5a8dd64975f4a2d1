import { deliveryVariables } from '@databridge/delivery/config';
import { startDelivery } from '@databridge/delivery/worker/worker';
import { createLogger } from '@databridge/kernel/log';
import { createRegistry } from '@databridge/kernel/metrics';
import { readConfig } from '@databridge/kernel/settings/config';
import type { Clock } from '@databridge/kernel/time/clock';
import { platform } from '../platform.ts';
import type { Stage } from '../stage.ts';

/**
 * A delivery worker in this process, on the test's own clock, until the end of the file. The stage's own must have been
 * stopped: it is on real time.
 * @param env besides the stage's
 * @returns its metrics
 */
export async function startDeliveryHere(stage: Stage, clock: Clock, env: Record<string, string> = {}) {
  const variables = {
    KAFKA_BROKERS: platform().brokers.join(','),
    SCHEMA_REGISTRY_URL: platform().registryUrl,
    ...stage.deliveryEnv,
    ...env,
  };
  const metrics = createRegistry('delivery');
  const log = createLogger('delivery', 'silent');
  running.add(await startDelivery(readConfig(deliveryVariables, variables), log, metrics, clock));
  return metrics;
}

const running = new Set<Awaited<ReturnType<typeof startDelivery>>>();

afterAll(async () => {
  await Promise.all([...running].map((worker) => worker.stop()));
});
