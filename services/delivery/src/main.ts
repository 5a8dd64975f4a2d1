import { createLogger } from '@databridge/kernel/log';
import { createRegistry } from '@databridge/kernel/metrics';
import { readServiceConfig, runService } from '@databridge/kernel/service';
import { deliveryVariables } from './config.ts';
import { startDelivery } from './worker/worker.ts';

const config = readServiceConfig('delivery', deliveryVariables);
const log = createLogger('delivery', config.LOG_LEVEL).child({ worker: config.WORKER_NAME });
const registry = createRegistry('delivery');

await runService({
  log,
  registry,
  httpHost: config.HTTP_HOST,
  httpPort: config.HTTP_PORT,
  drainTimeoutMs: config.DRAIN_TIMEOUT,
  start: () => startDelivery(config, log, registry),
});
