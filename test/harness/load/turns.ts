import type { LogLine, ServiceProcess } from '../services/processes.ts';

/** For the environment of a service of which {@link turnWaitMs} is asked. */
export const METERED = { NODE_OPTIONS: `--import ${new URL('turn-meter.ts', import.meta.url).href}` };

const isMeasured = ({ msg }: LogLine) => msg === 'turns measured';

/**
 * How long something that happens at any time waits for the turn of the event loop that runs then, at most, in 99 of 100
 * cases: turns that are longer take no more than a hundredth of the time.
 * @returns since the last call, in ms of processor time
 */
export async function turnWaitMs(service: ServiceProcess): Promise<number> {
  const before = service.logs.filter(isMeasured).length;
  process.kill(service.pid, 'SIGUSR2');
  await service.waitForLog(() => service.logs.filter(isMeasured).length > before);
  const line = service.logs.findLast(isMeasured);
  let leftMs = Number(line?.['windowMs']) / 100;
  for (const turnMs of (line?.['turnsMs'] ?? []) as number[]) {
    leftMs -= turnMs;
    if (leftMs < 0) return turnMs;
  }
  return 0;
}
