import { execFile } from 'node:child_process';
import { cp, glob, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** The rules by which Biome refuses an import, by the file that would have it. */
function refusals(imports: Record<string, string>): Promise<Record<string, string[]>> {
  const probe = (specifier: string) => `import { probe } from '${specifier}';\n\nconsole.log(probe);\n`;
  return refusalsOf(Object.fromEntries(Object.entries(imports).map(([file, one]) => [file, probe(one)])));
}

/** The rules by which Biome refuses a file with this text. */
async function refusalsOf(files: Record<string, string>): Promise<Record<string, string[]>> {
  const tree = await mkdtemp(join(tmpdir(), 'databridge-boundaries-'));
  try {
    // The project's own rules and manifests, around nothing but the files in question.
    await cp(join(root, '.biome.json'), join(tree, '.biome.json'));
    await cp(join(root, '.biome'), join(tree, '.biome'), { recursive: true });
    for await (const manifest of glob('{,schemas/,services/*/,test/}package.json', { cwd: root })) {
      await mkdir(dirname(join(tree, manifest)), { recursive: true });
      await cp(join(root, manifest), join(tree, manifest));
    }
    for (const [file, text] of Object.entries(files)) {
      await mkdir(dirname(join(tree, file)), { recursive: true });
      await writeFile(join(tree, file), text);
    }
    const biome = join(root, 'node_modules', '.bin', 'biome');
    const args = ['lint', '--vcs-enabled=false', '--reporter=json', '--max-diagnostics=none', '.'];
    const run = promisify(execFile)(biome, args, { cwd: tree });
    const { stdout } = await run.catch((error: { stdout: string }) => error);
    const report = JSON.parse(stdout) as { diagnostics: { category: string; location: { path: string } }[] };
    const found: Record<string, string[]> = Object.fromEntries(Object.keys(files).map((file) => [file, []]));
    for (const { category, location } of report.diagnostics) found[location.path]?.push(category);
    return found;
  } finally {
    await rm(tree, { recursive: true, force: true });
  }
}

const RESTRICTED = 'lint/style/noRestrictedImports';

test('imports against the arrows are refused', async () => {
  const refused = await refusals({
    'schemas/src/kernel.ts': '@databridge/kernel/errors',
    'schemas/src/files.ts': 'node:fs',
    'schemas/src/service.ts': '@databridge/delivery/lanes/lane',
    'services/kernel/src/service.ts': '@databridge/fan-out/main',
    'services/delivery/src/service.ts': '@databridge/fan-out/main',
    'services/fan-out/src/control-plane.ts': '@databridge/control-plane/subscriptions/apply',
    'services/control-plane/src/front.ts': '@databridge/cli/main',
    'services/cli/src/service.ts': '@databridge/delivery/lanes/lane',
    'services/cli/src/control-plane.ts': '@databridge/control-plane/subscriptions/apply',
    'services/fan-out/src/relative.ts': '../../delivery/src/lane.ts',
    'services/fan-out/src/deep/relative.ts': '../../../kernel/src/errors.ts',
    'services/kernel/src/relative.ts': '../../../schemas/src/records/topics.ts',
    'test/flow/relative.ts': '../../services/delivery/src/lanes/lane.ts',
  });
  for (const [file, rules] of Object.entries(refused))
    expect([file, rules]).toEqual([file, expect.arrayContaining([RESTRICTED])]);
});

test('what the manifest of a package does not name is refused', async () => {
  const refused = await refusals({
    'services/demo/src/undeclared.ts': '@databridge/delivery-not-named/lane',
    'services/fan-out/src/undeclared.ts': 'undici',
  });
  for (const [file, rules] of Object.entries(refused)) {
    expect([file, rules]).toEqual([file, ['lint/correctness/noUndeclaredDependencies']]);
  }
});

test('imports along the arrows are not', async () => {
  const files = {
    'services/kernel/src/schemas.ts': '@databridge/schemas/records/topics',
    'services/delivery/src/kernel.ts': '@databridge/kernel/errors',
    'services/delivery/src/deep/own.ts': '../lane.ts',
    'services/delivery/src/deep/deeper/own.ts': '../../lane.ts',
    'test/flow/harness.ts': '../harness/platform.ts',
    'schemas/src/files.test.ts': 'node:fs',
    'test/flow/schemas.ts': '@databridge/schemas/records/topics',
  };
  expect(await refusals(files)).toEqual(Object.fromEntries(Object.keys(files).map((file) => [file, []])));
});

test('time that is not read through a Clock is refused', async () => {
  const readings = {
    now: 'console.log(Date.now());\n',
    monotonic: 'console.log(performance.now());\n',
    today: 'console.log(new Date());\n',
    timer: 'setTimeout(() => console.log(1), 1);\n',
    ticker: 'setInterval(() => console.log(1), 1);\n',
    pause: "import { setTimeout as delay } from 'node:timers/promises';\n\nawait delay(1);\n",
  };
  const given = 'console.log(new Date(5));\n';
  const files = Object.fromEntries(
    Object.entries(readings).map(([name, text]) => [`services/delivery/src/${name}.ts`, text]),
  );
  const refused = await refusalsOf({
    ...files,
    'services/cli/src/now.ts': readings.now,
    'services/delivery/src/given.ts': given,
    // Where it is read, in tests, and in tools that are no service.
    'services/kernel/src/time/clock.ts': readings.now,
    'services/delivery/src/now.test.ts': readings.now,
    'services/demo/src/now.ts': readings.now,
  });
  expect(refused).toEqual({
    ...Object.fromEntries(Object.keys(files).map((file) => [file, ['plugin']])),
    'services/cli/src/now.ts': ['plugin'],
    'services/delivery/src/given.ts': [],
    'services/kernel/src/time/clock.ts': [],
    'services/delivery/src/now.test.ts': [],
    'services/demo/src/now.ts': [],
  });
});

test('a promise that nobody waits for is refused, and a race in what runs for long', async () => {
  const floating =
    'class A {\n  async #run(): Promise<void> {}\n  go(): void {\n    this.#run();\n  }\n}\nnew A().go();\n';
  const race = (more = '') =>
    `export const first = (all: Promise<void>[]) => {\n${more}  return Promise.race(all);\n};\n`;
  const refused = await refusalsOf({
    'services/delivery/src/floating.ts': floating,
    'test/flow/floating.ts': floating,
    'services/delivery/src/race.ts': race(),
    'services/delivery/src/reason.ts': race('  // biome-ignore lint/plugin: all end with the call.\n'),
    'services/cli/src/race.ts': race(),
  });
  expect(refused).toEqual({
    'services/delivery/src/floating.ts': ['lint/nursery/noFloatingPromises'],
    'test/flow/floating.ts': ['lint/nursery/noFloatingPromises'],
    'services/delivery/src/race.ts': ['plugin'],
    'services/delivery/src/reason.ts': [],
    // The command line ends with its command.
    'services/cli/src/race.ts': [],
  });
});
