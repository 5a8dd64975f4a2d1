import { dirname, join } from 'node:path';
import type { Artifacts } from './artifacts.ts';

/** Returns java's arguments and the environment of a registry that keeps its data and schema ids in `dir`. */
export function prepareRegistry(
  dir: string,
  port: number,
  artifacts: Artifacts,
): { args: string[]; cwd: string; env: Record<string, string> } {
  return {
    args: [
      ...['-Xmx256m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1'],
      '-Dquarkus.http.host=127.0.0.1',
      `-Dquarkus.http.port=${port}`,
      ...['-jar', artifacts.registryJar],
    ],
    // Quarkus looks for its configuration relative to the working directory.
    cwd: dirname(artifacts.registryJar),
    env: { REGISTRY_DATASOURCE_URL: `jdbc:h2:file:${join(dir, 'registry')}` },
  };
}

export function registryUrlAt(port: number): string {
  return `http://127.0.0.1:${port}/apis/ccompat/v7`;
}

/** The registry is ready when its storage is: before that, it answers 404 for ids that exist. */
export async function registryAnswers(port: number): Promise<boolean> {
  try {
    const response = await fetch(`http://127.0.0.1:${port}/health/ready`, { signal: AbortSignal.timeout(2_000) });
    await response.arrayBuffer();
    return response.ok;
  } catch {
    return false;
  }
}
