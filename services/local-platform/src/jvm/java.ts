import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { DatabridgeError } from '@databridge/kernel/errors';

const run = promisify(execFile);

/** Kafka 4 brokers need Java 17 (https://kafka.apache.org/43/operations/java-version/). */
const MIN_JAVA = 17;
/** The dependency plugin 3.8 needs Maven 3.6.3. */
const MIN_MAVEN = [3, 6, 3] as const;

const INSTEAD = 'Or set KAFKA_BROKERS and SCHEMA_REGISTRY_URL to use a Kafka and a registry that run already.';

/** Returns the feature release in the output of `java -version`: 17 for "17.0.15", 8 for "1.8.0_402". */
export function javaRelease(versionOutput: string): number | undefined {
  const match = /version "(?:1\.)?(\d+)/.exec(versionOutput);
  return match?.[1] === undefined ? undefined : Number(match[1]);
}

/** Returns [3, 8, 7] for "Apache Maven 3.8.7", which may be wrapped in terminal colors. */
export function mavenVersion(versionOutput: string): [number, number, number] | undefined {
  const match = /Apache Maven (\d+)\.(\d+)\.(\d+)/.exec(versionOutput);
  return match ? [Number(match[1]), Number(match[2]), Number(match[3])] : undefined;
}

/** A Java of a release that Kafka supports. */
export interface Java {
  readonly command: string;
  /** The output of `java -version`: each build has its own. */
  readonly version: string;
}

/**
 * Finds the Java to run, and checks its release.
 * @throws DatabridgeError DB_PLATFORM_JAVA_MISSING, DB_PLATFORM_JAVA_TOO_OLD
 */
export async function findJava(javaHome: string | undefined): Promise<Java> {
  const java = javaHome ? join(javaHome, 'bin', 'java') : 'java';
  const output = await versionOutput(java, ['-version']);
  const release = output === undefined ? undefined : javaRelease(output);
  const install = `Install a Java runtime ${MIN_JAVA} or newer (Debian: openjdk-17-jre-headless), on the PATH or named by JAVA_HOME. ${INSTEAD}`;
  if (release === undefined) {
    throw new DatabridgeError(
      'DB_PLATFORM_JAVA_MISSING',
      `The local Kafka needs Java, and ${java} did not run. ${install}`,
    );
  }
  if (release < MIN_JAVA) {
    throw new DatabridgeError(
      'DB_PLATFORM_JAVA_TOO_OLD',
      `The local Kafka can't run on Java ${release} (${java}). ${install}`,
    );
  }
  return { command: java, version: output ?? '' };
}

/** @throws DatabridgeError DB_PLATFORM_MAVEN_MISSING, DB_PLATFORM_MAVEN_TOO_OLD */
export async function findMaven(): Promise<string> {
  const output = await versionOutput('mvn', ['--version']);
  const version = output === undefined ? undefined : mavenVersion(output);
  const minimum = MIN_MAVEN.join('.');
  const install = `Install Maven ${minimum} or newer (Debian: maven). ${INSTEAD}`;
  if (version === undefined) {
    throw new DatabridgeError(
      'DB_PLATFORM_MAVEN_MISSING',
      `Kafka and the registry are fetched with Maven, and mvn did not run. ${install}`,
    );
  }
  if (isOlder(version, MIN_MAVEN)) {
    throw new DatabridgeError(
      'DB_PLATFORM_MAVEN_TOO_OLD',
      `Maven ${version.join('.')} is too old to fetch Kafka. ${install}`,
    );
  }
  return 'mvn';
}

export function isOlder(
  version: readonly [number, number, number],
  minimum: readonly [number, number, number],
): boolean {
  for (const [index, wanted] of minimum.entries()) {
    const found = version[index] ?? 0;
    if (found !== wanted) return found < wanted;
  }
  return false;
}

/** Returns both streams together, since java writes to stderr; undefined when the program can't be run. */
async function versionOutput(program: string, args: string[]): Promise<string | undefined> {
  try {
    const { stdout, stderr } = await run(program, args);
    return stdout + stderr;
  } catch {
    return undefined;
  }
}
