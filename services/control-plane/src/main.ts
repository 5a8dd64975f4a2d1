import { createLogger } from '@databridge/kernel/log';
import { createRegistry } from '@databridge/kernel/metrics';
import { readServiceConfig, runService } from '@databridge/kernel/service';
import { controlPlaneVariables } from './config.ts';
import { startControlPlane } from './start-control-plane.ts';

const config = readServiceConfig('control-plane', controlPlaneVariables);
const log = createLogger('control-plane', config.LOG_LEVEL);
const registry = createRegistry('control-plane');

await runService({
  log,
  registry,
  httpHost: config.HTTP_HOST,
  httpPort: config.HTTP_PORT,
  drainTimeoutMs: config.DRAIN_TIMEOUT,
  start: () => startControlPlane(config, log, registry),
});
