/** The resource usage of another process, as Linux counts it (`man 5 proc`). */
import { readFile } from 'node:fs/promises';

/** USER_HZ, which is 100 on every Linux that Node runs on. */
const MS_PER_TICK = 10;

/** Returns the processor time in ms spent so far, in user and kernel mode, in steps of 10 ms. */
export async function cpuMs(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
  // The command's name may contain spaces; what follows its closing parenthesis is field 3.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) * MS_PER_TICK;
}

/** Returns the largest resident memory so far, in MiB. */
export async function peakRssMiB(pid: number): Promise<number> {
  return statusMiB(pid, 'VmHWM');
}

/** Returns the current resident memory, in MiB. */
export async function rssMiB(pid: number): Promise<number> {
  return statusMiB(pid, 'VmRSS');
}

async function statusMiB(pid: number, field: string): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  const kiB = new RegExp(`^${field}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1];
  if (kiB === undefined) throw new Error(`/proc/${pid}/status says nothing of ${field}`);
  return Number(kiB) / 1_024;
}
