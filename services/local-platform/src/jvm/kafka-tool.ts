import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { readMachineConfig } from '../platform-config.ts';
import { ensureArtifacts } from './artifacts.ts';
import { findJava } from './java.ts';

export interface ToolResult {
  stdout: string;
  stderr: string;
  exitCode: number | null;
}

/**
 * Runs one of Kafka's own Java programs from the broker's class path, e.g.
 * `org.apache.kafka.tools.consumer.group.ConsumerGroupCommand`, and waits for its end.
 * Mind that the tools' exit code is 0 even where they refuse: read the output.
 */
export async function kafkaTool(mainClass: string, args: readonly string[], input = ''): Promise<ToolResult> {
  const { javaHome, cacheDir } = readMachineConfig(process.env);
  const { command: java } = await findJava(javaHome);
  const { kafkaClassPath } = await ensureArtifacts({ cacheDir, java });
  const jvmFlags = [
    '-Xmx256m',
    '-XX:+UseSerialGC',
    '-XX:TieredStopAtLevel=1',
    '-Dorg.slf4j.simpleLogger.defaultLogLevel=warn',
  ];
  const tool = spawn(java, [...jvmFlags, '-cp', kafkaClassPath, mainClass, ...args], { timeout: 60_000 });
  tool.stdin.on('error', () => undefined); // It may end without reading all of its input.
  tool.stdin.end(input);
  const [stdout, stderr, [exitCode]] = await Promise.all([text(tool.stdout), text(tool.stderr), once(tool, 'close')]);
  return { stdout, stderr, exitCode: exitCode as number | null };
}
