import { execFile, spawn } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { mkdir, mkdtemp, open, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { basename, delimiter, dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { DatabridgeError } from '@databridge/kernel/errors';
import { isAlive } from '../process-alive.ts';
import { FetchMeter, type FetchProgress } from './fetch-progress.ts';
import { findMaven } from './java.ts';

export const KAFKA_VERSION = '4.3.0';
export const REGISTRY_VERSION = '2.6.13.Final';
/** slf4j's own logger: Kafka's jars bring none, and without one the broker's start errors are lost. */
const SLF4J_VERSION = '1.7.36';

/** A first download in bytes: jars, registry and Maven's plugin, measured with an empty local repository. */
const EXPECTED_BYTES = 215_000_000;

/** The paths of the installed programs. */
export interface Artifacts {
  /** The directory of all of them, in the cache. */
  home: string;
  /** The Java class path of the broker and its tools. */
  kafkaClassPath: string;
  registryJar: string;
  /** A formatted, empty log directory: each new broker gets a copy, which saves starting a JVM to format one. */
  formattedLogDir: string;
}

/**
 * Returns the programs in `cacheDir`, and downloads them if they are missing. A directory there is complete or absent:
 * it is filled under another name and renamed at the end, so an interrupted download is simply repeated.
 * @throws DatabridgeError DB_PLATFORM_MAVEN_MISSING, DB_PLATFORM_MAVEN_TOO_OLD, DB_PLATFORM_FETCH_FAILED
 */
export async function ensureArtifacts(options: {
  cacheDir: string;
  java: string;
  progress?: FetchProgress | undefined;
}): Promise<Artifacts> {
  const { cacheDir, java, progress } = options;
  const home = join(cacheDir, `kafka-${KAFKA_VERSION}_apicurio-${REGISTRY_VERSION}`);
  if (!existsSync(home)) {
    await mkdir(cacheDir, { recursive: true });
    await withLock(`${home}.lock`, progress, async () => {
      if (!existsSync(home)) await fetchInto(home, java, progress);
    });
  }
  return artifactsIn(home);
}

function artifactsIn(home: string): Artifacts {
  const kafkaDir = join(home, 'kafka');
  // Sorted and in full: archives of classes (class-archives.ts) hold for one order of the jars only.
  const jars = readdirSync(kafkaDir).filter((name) => name.endsWith('.jar'));
  return {
    home,
    kafkaClassPath: jars
      .sort()
      .map((name) => join(kafkaDir, name))
      .join(delimiter),
    registryJar: join(home, 'registry', `apicurio-registry-app-${REGISTRY_VERSION}-runner.jar`),
    formattedLogDir: join(home, 'formatted'),
  };
}

async function fetchInto(home: string, java: string, progress: FetchProgress | undefined): Promise<void> {
  const mvn = await findMaven();
  const staging = await mkdtemp(join(dirname(home), `.${basename(home)}-`));
  progress?.start(`Fetching Kafka ${KAFKA_VERSION} and Apicurio Registry ${REGISTRY_VERSION} (once)`, EXPECTED_BYTES);
  try {
    await writeFile(join(staging, 'pom.xml'), pomFor(staging));
    await runMaven(mvn, staging, progress);
    await formatLogDir(staging, java);
    await rename(staging, home);
    progress?.finish('done');
  } catch (error) {
    progress?.finish('failed');
    await rm(staging, { recursive: true, force: true });
    throw error;
  }
}

function pomFor(staging: string): string {
  const dependency = (coordinates: string): string => {
    const [groupId, artifactId, version] = coordinates.split(':');
    return `<dependency><groupId>${groupId}</groupId><artifactId>${artifactId}</artifactId><version>${version}</version></dependency>`;
  };
  return `<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>databridge</groupId><artifactId>local-platform</artifactId><version>1</version><packaging>pom</packaging>
  <dependencies>
    ${dependency(`org.apache.kafka:kafka_2.13:${KAFKA_VERSION}`)}
    ${dependency(`org.apache.kafka:kafka-tools:${KAFKA_VERSION}`)}
    ${dependency(`org.slf4j:slf4j-simple:${SLF4J_VERSION}`)}
  </dependencies>
  <build><plugins><plugin>
    <groupId>org.apache.maven.plugins</groupId><artifactId>maven-dependency-plugin</artifactId><version>3.8.1</version>
    <executions>
      <execution><id>kafka</id><phase>generate-resources</phase><goals><goal>copy-dependencies</goal></goals>
        <configuration><outputDirectory>${staging}/kafka</outputDirectory><includeScope>runtime</includeScope></configuration>
      </execution>
      <execution><id>registry</id><phase>generate-resources</phase><goals><goal>unpack</goal></goals>
        <configuration><outputDirectory>${staging}/registry</outputDirectory><artifactItems><artifactItem>
          <groupId>io.apicurio</groupId><artifactId>apicurio-registry-app</artifactId>
          <version>${REGISTRY_VERSION}</version><type>tar.gz</type><classifier>all</classifier>
        </artifactItem></artifactItems></configuration>
      </execution>
    </executions>
  </plugin></plugins></build>
</project>
`;
}

async function runMaven(mvn: string, staging: string, progress: FetchProgress | undefined): Promise<void> {
  // Not --batch-mode: that leaves out the progress of each download.
  const child = spawn(mvn, ['generate-resources'], { cwd: staging, stdio: ['ignore', 'pipe', 'pipe'] });
  const meter = new FetchMeter();
  const errors: string[] = [];
  createInterface(child.stdout).on('line', (line) => {
    progress?.update(meter.read(line));
    if (line.includes('ERROR')) errors.push(line);
  });
  createInterface(child.stderr).on('line', (line) => errors.push(line));
  const code = await new Promise<number | null>((resolve, reject) =>
    child.once('error', reject).once('close', resolve),
  );
  if (code !== 0) {
    throw new DatabridgeError(
      'DB_PLATFORM_FETCH_FAILED',
      `Maven could not fetch Kafka and the registry (exit code ${code}). ${errors.slice(0, 10).join('\n')}`,
    );
  }
}

async function formatLogDir(staging: string, java: string): Promise<void> {
  const properties = join(staging, 'format.properties');
  const logDir = join(staging, 'formatted');
  await writeFile(
    properties,
    `process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:1
listeners=PLAINTEXT://127.0.0.1:2,CONTROLLER://127.0.0.1:1
controller.listener.names=CONTROLLER
log.dirs=${logDir}
`,
  );
  const clusterId = Buffer.from('databridge-local').toString('base64url');
  await promisify(execFile)(java, [
    ...['-cp', join(staging, 'kafka', '*'), 'kafka.tools.StorageTool'],
    ...['format', '--cluster-id', clusterId, '--config', properties],
  ]);
}

/** Runs `work` while no other process does so under the same lock file; a lock whose owner is gone doesn't count. */
async function withLock(file: string, progress: FetchProgress | undefined, work: () => Promise<void>): Promise<void> {
  let waiting = false;
  for (;;) {
    const handle = await open(file, 'wx').catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'EEXIST') return undefined;
      throw error;
    });
    if (handle) {
      await handle.writeFile(String(process.pid));
      await handle.close();
      break;
    }
    if (!waiting) progress?.note('Another process is fetching Kafka and the registry: waiting for it');
    waiting = true;
    await delay(250);
    if (await isAbandoned(file)) await rm(file, { force: true });
  }
  try {
    await work();
  } finally {
    await rm(file, { force: true });
  }
}

async function isAbandoned(lockFile: string): Promise<boolean> {
  const owner = Number(await readFile(lockFile, 'utf8').catch(() => ''));
  // Without a pid it is just being written, or was just removed.
  return owner > 0 && !isAlive(owner);
}
