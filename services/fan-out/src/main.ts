import { createLogger } from '@databridge/kernel/log';
import { createRegistry } from '@databridge/kernel/metrics';
import { readServiceConfig, runService } from '@databridge/kernel/service';
import { fanOutVariables } from './config.ts';
import { startFanOut } from './start-fan-out.ts';

const config = readServiceConfig('fan-out', fanOutVariables);
const log = createLogger('fan-out', config.LOG_LEVEL);
const registry = createRegistry('fan-out');

await runService({
  log,
  registry,
  httpHost: config.HTTP_HOST,
  httpPort: config.HTTP_PORT,
  drainTimeoutMs: config.DRAIN_TIMEOUT,
  start: () => startFanOut(config, { log, registry }),
});
