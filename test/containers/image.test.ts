/** What the image promises: small, no root, nothing but what runs, and it says what is in it. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const IMAGE = 'databridge-events:test';
const docker = async (...args: string[]) =>
  (await promisify(execFile)('docker', args, { maxBuffer: 16 * 1024 * 1024 })).stdout;
const RUN = ['run', '--rm', '--cap-drop=ALL'];
const inImage = (...command: string[]) => docker(...RUN, '--read-only', IMAGE, ...command);

test('it is smaller than 350 MB, and labeled', async () => {
  const [details] = JSON.parse(await docker('image', 'inspect', IMAGE));
  expect(details.Size).toBeLessThan(350_000_000);
  expect(details.Config.Labels).toMatchObject({
    'org.opencontainers.image.title': 'Databridge Events',
    'org.opencontainers.image.version': expect.stringMatching(/^\d+\.\d+\.\d+$/),
    'org.opencontainers.image.revision': expect.stringMatching(/^[0-9a-f]{40}$/),
  });
  expect(details.Config.User).toBe('node');
  expect(details.Config.Healthcheck.Test).toContain('/app/bin/healthy.mjs');
});

test('its user is not root and owns nothing of the program', async () => {
  expect((await inImage('id', '-u')).trim()).not.toBe('0');
  // On a root file system that can be written to: on any other, nothing is writable whoever owns it.
  expect((await docker(...RUN, IMAGE, 'find', '/app', '-writable', '-not', '-type', 'l')).trim()).toBe('');
});

test('no development dependency and no test is in it', async () => {
  const packages = (await inImage('sh', '-c', 'cd /app/node_modules && ls')).split('\n');
  expect(packages).toEqual(expect.arrayContaining(['kafkajs', 'undici']));
  for (const name of ['jest', 'typescript', 'turbo', 'testcontainers', 'fast-check']) {
    expect(packages).not.toContain(name);
  }
  expect((await inImage('find', '/app/services', '/app/schemas', '-name', '*.test.ts')).trim()).toBe('');
});

test('its bill of materials names every package that is in it', async () => {
  const bill = JSON.parse(await inImage('cat', '/app/sbom.cdx.json'));
  expect(bill.bomFormat).toBe('CycloneDX');
  const listed = new Set(bill.components.map(({ name, version }: Record<string, string>) => `${name}@${version}`));
  const installed = JSON.parse(await inImage('cat', '/app/node_modules/.package-lock.json')).packages;
  const missing = Object.entries(installed as Record<string, { version?: string; link?: boolean }>)
    .filter(([path, { link }]) => !link && path.includes('node_modules/'))
    .map(
      ([path, { version }]) => `${path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length)}@${version}`,
    )
    .filter((one) => !listed.has(one));
  expect(missing).toEqual([]);
});

test('no start reads TypeScript: what Node made of it is in the image', async () => {
  const start = (name: string) => `node services/${name}/src/main.ts 2>&1`;
  const starts = ['cli', 'fan-out', 'delivery', 'control-plane'].map(start).join(';');
  const debug = ['--env', 'NODE_DEBUG_NATIVE=COMPILE_CACHE'];
  const said = await docker(...RUN, '--read-only', ...debug, IMAGE, 'sh', '-c', `${starts}; true`);
  expect(said).toMatch(/retrieving transpile cache for \S+ \S+\/delivery\/src\/worker\/worker\.ts\.\.\.success/);
  expect(said).not.toContain('no transpile cache');
});

test('the command says what runs; without one it says so and fails', async () => {
  expect(await inImage('databridge', '--help')).toContain('Usage: databridge');
  await expect(inImage()).rejects.toMatchObject({
    code: 2,
    stderr: expect.stringContaining('fan-out, delivery, control-plane'),
  });
  await expect(inImage('fan-out')).rejects.toMatchObject({ stderr: expect.stringContaining('KAFKA_BROKERS') });
});
