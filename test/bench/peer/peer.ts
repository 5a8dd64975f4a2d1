/** Confluent Parallel Consumer, fetched with Maven and compiled when it is first raced against. */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { findJava, findMaven } from '@databridge/local-platform/jvm/java';
import { readMachineConfig } from '@databridge/local-platform/platform-config';

const run = promisify(execFile);

export const PEER = 'Confluent Parallel Consumer 0.5.3.3 (Vert.x)';
const COORDINATES = {
  groupId: 'io.confluent.parallelconsumer',
  artifactId: 'parallel-consumer-vertx',
  version: '0.5.3.3',
};
const COPY_DEPENDENCIES = 'org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies';
const SOURCE = new URL('ParallelPost.java', import.meta.url).pathname;

export interface Peer {
  readonly pid: number;
  stop(): Promise<void>;
}

/** Runs it over the whole topic. */
export type StartPeer = (order: {
  readonly brokers: readonly string[];
  readonly topic: string;
  readonly groupId: string;
  readonly url: string;
  readonly connections: number;
}) => Peer;

/**
 * A directory of jars is complete or absent, as those of the local platform are.
 * @returns how to start it, or why that can't be
 */
export async function preparePeer(): Promise<StartPeer | { readonly missing: string }> {
  const { cacheDir, javaHome } = readMachineConfig(process.env);
  const home = join(cacheDir, `${COORDINATES.artifactId}-${COORDINATES.version}`);
  const classes = join(home, 'classes');
  try {
    const java = await findJava(javaHome);
    if (!existsSync(home)) await fetchInto(home);
    const jars = join(home, 'jars', '*');
    const javac = javaHome ? join(javaHome, 'bin', 'javac') : 'javac';
    await run(javac, ['-cp', jars, '-d', classes, SOURCE]);
    return (order) => start(java.command, `${classes}:${jars}`, order);
  } catch (error) {
    return { missing: (error as Error).message.split('\n')[0] ?? 'it could not be prepared' };
  }
}

function start(java: string, classPath: string, order: Parameters<StartPeer>[0]): Peer {
  const { brokers, topic, groupId, url, connections } = order;
  const args = ['-Xmx512m', '-cp', classPath, 'ParallelPost', brokers.join(','), topic, groupId, url, `${connections}`];
  const child = spawn(java, args, { stdio: 'ignore' });
  const end = () => child.kill('SIGKILL');
  process.once('exit', end);
  return {
    pid: child.pid ?? 0,
    async stop() {
      process.off('exit', end);
      if (child.exitCode !== null) return;
      end();
      await once(child, 'exit');
    },
  };
}

async function fetchInto(home: string): Promise<void> {
  const mvn = await findMaven();
  await mkdir(dirname(home), { recursive: true });
  const staging = await mkdtemp(join(dirname(home), `.${basename(home)}-`));
  try {
    const { groupId, artifactId, version } = COORDINATES;
    await writeFile(
      join(staging, 'pom.xml'),
      `<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>databridge</groupId><artifactId>bench-peer</artifactId><version>1</version><packaging>pom</packaging>
  <dependencies><dependency>
    <groupId>${groupId}</groupId><artifactId>${artifactId}</artifactId><version>${version}</version>
  </dependency></dependencies>
</project>
`,
    );
    const target = `-DoutputDirectory=${join(staging, 'jars')}`;
    await run(mvn, ['--batch-mode', '--quiet', COPY_DEPENDENCIES, target, '-DincludeScope=runtime'], { cwd: staging });
    await rename(staging, home);
  } catch (error) {
    await rm(staging, { recursive: true, force: true });
    throw error;
  }
}
