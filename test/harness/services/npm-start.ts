/** `npm start` as a newcomer runs it: a process of its own, on free ports, with its data in a directory of its own. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { PORTS } from '@databridge/local-platform/platform-config';
import { apiOf, type ControlPlane } from './control-plane.ts';

const root = fileURLToPath(new URL('../../..', import.meta.url));

export interface NpmStart {
  /** Its API, for the operator whose token it made. */
  readonly plane: Pick<ControlPlane, 'call'>;
  /** Of the set-up page. */
  readonly origin: string;
  /** All that it printed. */
  readonly lines: readonly string[];
  /** As Ctrl-C does. @returns its exit code */
  stop(): Promise<number | null>;
}

/** Resolves once it says that it is ready, with what it printed. @throws {Error} if it ends before */
export async function npmStart(): Promise<NpmStart> {
  const directory = mkdtempSync(join(tmpdir(), 'databridge-start-'));
  const anyPorts = Object.fromEntries(Object.keys(PORTS).map((name) => [name, '0']));
  const { KAFKA_BROKERS: _, SCHEMA_REGISTRY_URL: __, ...inherited } = process.env;
  const env = { ...inherited, ...anyPorts, XDG_CONFIG_HOME: directory, XDG_DATA_HOME: directory };
  const child = spawn('npm', ['start'], { cwd: root, env, detached: true, stdio: ['ignore', 'pipe', 'inherit'] });
  const closed = once(child, 'close') as Promise<[number | null]>;
  const lines: string[] = [];
  const ready = new Promise<void>((resolve) => {
    createInterface(child.stdout).on('line', (line) => {
      lines.push(line);
      if (/\| ready;/.test(line)) resolve();
    });
  });
  const stop = async () => {
    // npm and what it runs: the group that this process began.
    if (child.exitCode === null && child.signalCode === null) process.kill(-(child.pid as number), 'SIGINT');
    const [code] = await closed;
    rmSync(directory, { recursive: true });
    return code;
  };
  const printed = (pattern: RegExp): string => {
    const found = lines.map((line) => pattern.exec(line)?.[1]).find((one) => one !== undefined);
    if (found === undefined) throw new Error(`npm start printed no line that matches ${pattern}:\n${lines.join('\n')}`);
    return found;
  };
  const hasEnded = async () => {
    throw new Error(`npm start ended before it was ready (${(await closed)[0]}):\n${lines.slice(-40).join('\n')}`);
  };
  try {
    await Promise.race([ready, hasEnded()]);
    const token = readFileSync(printed(/export DATABRIDGE_TOKEN="\$\(cat '(.*)'\)"/), 'utf8').trim();
    const call = apiOf(`${printed(/export DATABRIDGE_URL=(\S+)/)}/v1`, token);
    return { plane: { call }, origin: printed(/set-up page for customers: ([^\s;]+)/), lines, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}
