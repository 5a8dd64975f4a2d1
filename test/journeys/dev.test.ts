/** `npm run dev`: services restart when their source changes. */
import { mkdtempSync, rmSync, statSync, utimesSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { PORTS } from '@databridge/local-platform/platform-config';
import { closeTerminals, openTerminal, readUntil } from '../harness/services/terminal.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const directory = mkdtempSync(join(tmpdir(), 'databridge-dev-'));

afterAll(async () => {
  await closeTerminals();
  rmSync(directory, { recursive: true });
});

/** Notifies watchers of the file; neither its content nor its times change. */
function touch(file: string): void {
  const { atime, mtime } = statSync(join(root, file));
  utimesSync(join(root, file), atime, mtime);
}

test('a changed service restarts alone, a change of shared source restarts all, and the console shows how long it took', async () => {
  const anyPorts = Object.fromEntries(Object.keys(PORTS).map((name) => [name, '0']));
  const { KAFKA_BROKERS: _, SCHEMA_REGISTRY_URL: __, ...inherited } = process.env;
  const env = { ...inherited, XDG_CONFIG_HOME: directory, XDG_DATA_HOME: directory, ...anyPorts };
  const { lines } = openTerminal('npm run dev', root, env);
  await readUntil(lines, /\| ready;/);

  touch('services/fan-out/src/main.ts');
  await readUntil(lines, /services\/fan-out\/src\/main\.ts changed: restarting fan-out$/);
  const seen = await readUntil(lines, /^fan-out +\| restarted: ready after \d+\.\d s$/);
  expect(seen.filter((line) => /^(delivery|control-plane) .*"stopped"/.test(line))).toEqual([]);

  touch('services/kernel/src/service.ts');
  await readUntil(lines, /kernel\/src\/service\.ts changed: restarting fan-out, delivery, control-plane$/);
  const left = new Set(['fan-out', 'delivery', 'control-plane']);
  while (left.size > 0) {
    const [line = ''] = (await readUntil(lines, /restarted: ready after/)).slice(-1);
    left.delete(/^[a-z-]+/.exec(line)?.[0] ?? '');
  }
}, 300_000);
