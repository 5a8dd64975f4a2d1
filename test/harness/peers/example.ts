/** The programs of docs/examples, built once and run as a reader of the guide would run them. */
import { type ChildProcess, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { cp, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { eventually } from '../eventually.ts';
import { cached, command } from './peers-cache.ts';
import { pythonEnvironment } from './python.ts';

const EXAMPLES = fileURLToPath(new URL('../../../docs/examples/', import.meta.url));

/** A JVM with Spring takes half a minute to start beside other work. */
const LINE_TIMEOUT_MS = 150_000;

export interface Program {
  readonly file: string;
  readonly args: readonly string[];
  readonly cwd: string;
}

/** Run from where it stands: its packages are found in the project's own `node_modules`. */
export function nodeExample(path: string): Program {
  return { file: process.execPath, args: [join(EXAMPLES, path)], cwd: EXAMPLES };
}

export async function pythonExample(path: string): Promise<Program> {
  const directory = join(EXAMPLES, path, '..');
  const text = await readFile(join(directory, 'requirements.txt'), 'utf8');
  const requirements = text.split('\n').filter(Boolean);
  const name = `example-${createHash('sha256').update(text).digest('hex').slice(0, 12)}`;
  const program = await pythonEnvironment(name, requirements);
  return { file: program('python'), args: [join(EXAMPLES, path)], cwd: directory };
}

/** Compiled by the Go tool of the machine. */
export async function goExample(directory: string): Promise<Program> {
  const home = await built(directory, async (dir) => void (await command('go', ['build', '-o', 'program', '.'], dir)));
  return { file: join(home, 'program'), args: [], cwd: home };
}

/** @param args of `java`, in the directory where Maven has built it */
export async function javaExample(directory: string, args: readonly string[]): Promise<Program> {
  const copy = 'org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies';
  const build = ['-q', '-B', 'package', copy, '-DincludeScope=runtime', '-DoutputDirectory=target/jars'];
  const home = await built(directory, async (dir) => void (await command('mvn', build, dir)));
  return { file: 'java', args, cwd: home };
}

/** A copy of the example outside the work tree, built; made anew when a file of it changes. */
async function built(directory: string, build: (dir: string) => Promise<void>): Promise<string> {
  const source = join(EXAMPLES, directory);
  const hash = createHash('sha256');
  for (const file of await sourcesOf(source)) hash.update(file).update(await readFile(join(source, file)));
  const name = `example-${directory.replaceAll('/', '-')}-${hash.digest('hex').slice(0, 12)}`;
  return await cached(name, async (dir) => {
    for (const file of await sourcesOf(source)) await cp(join(source, file), join(dir, file));
    await build(dir);
  });
}

async function sourcesOf(directory: string): Promise<string[]> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map(({ parentPath, name }) => join(parentPath, name));
  return files
    .map((file) => file.slice(directory.length + 1))
    .filter((file) => !file.startsWith('target/'))
    .sort();
}

/** A running example and the lines that it printed. Ended with the test file. */
export class RunningExample {
  readonly lines: string[] = [];
  readonly #child: ChildProcess;
  #failure: string | undefined;

  constructor({ file, args, cwd }: Program, env: Readonly<Record<string, string>>, more: readonly string[] = []) {
    const child = spawn(file, [...args, ...more], {
      cwd,
      env: { PATH: process.env['PATH'], HOME: process.env['HOME'], ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#child = child;
    let rest = '';
    child.stdout.on('data', (chunk: Buffer) => {
      const lines = (rest + chunk.toString()).split('\n');
      rest = lines.pop() ?? '';
      this.lines.push(...lines);
    });
    let complaints = '';
    child.stderr.on('data', (chunk: Buffer) => {
      complaints = (complaints + chunk.toString()).slice(-2_000);
    });
    child.once('error', (error) => {
      this.#failure = error.message;
    });
    child.once('exit', (code) => {
      if (code !== 0) this.#failure ??= `${file} ended with ${code}: ${complaints}`;
    });
    running.add(this);
  }

  /** @throws Error with the lines that were printed instead, and the complaint of a program that ended badly */
  async line(expected: RegExp): Promise<RegExpExecArray> {
    const find = async () => {
      if (this.#failure !== undefined) throw new Error(this.#failure);
      return this.lines.map((line) => expected.exec(line)).find(Boolean);
    };
    try {
      return (await eventually(find, (match) => match !== undefined, LINE_TIMEOUT_MS)) as RegExpExecArray;
    } catch (error) {
      throw new Error(`No line ${expected} among ${JSON.stringify(this.lines)}`, { cause: error });
    }
  }

  async end(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const exited = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await exited;
  }
}

const running = new Set<RunningExample>();

afterAll(async () => {
  await Promise.all([...running].map((example) => example.end()));
});
