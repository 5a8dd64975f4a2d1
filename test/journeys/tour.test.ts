/** The README's tour, typed as it stands: from `npm start` to an event in one's own receiver. */
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePorts } from '@databridge/local-platform/free-port';
import { PORTS } from '@databridge/local-platform/platform-config';
import { closeTerminals, openTerminal, readUntil } from '../harness/services/terminal.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const directory = mkdtempSync(join(tmpdir(), 'databridge-tour-'));
/** Where the newcomer types: what the commands write is not left in the repository. */
for (const name of ['node_modules', 'docs']) symlinkSync(join(root, name), join(directory, name));

afterAll(async () => {
  await closeTerminals();
  rmSync(directory, { recursive: true });
});

/** The fenced commands under a heading, block by block. */
function blocksUnder(heading: string): string[] {
  const readme = readFileSync(join(root, 'README.md'), 'utf8');
  const section = readme.split(`## ${heading}\n`)[1]?.split(/^## /m)[0] ?? '';
  return [...section.matchAll(/^```sh\n(.*?)^```$/gms)].map(([, commands]) => commands as string);
}

test('the tour: npm start, a receiver, a customer, an event, and what operators look at', async () => {
  const port = String(await freePorts(1));
  const [start = '', listen = '', apply = '', operate = ''] = blocksUnder('A first event').map((block) =>
    block.replaceAll('9000', port),
  );
  const anyPorts = Object.fromEntries(Object.keys(PORTS).map((name) => [name, '0']));
  const { KAFKA_BROKERS: _, SCHEMA_REGISTRY_URL: __, ...inherited } = process.env;
  const env = { ...inherited, XDG_CONFIG_HOME: directory, XDG_DATA_HOME: directory, ...anyPorts };

  const platform = openTerminal(start, root, env);
  const started = await readUntil(platform.lines, /\| ready;/);
  const exports = started.map((line) => /\| +(export .*)$/.exec(line)?.[1]).filter((line) => line !== undefined);
  expect(exports).toHaveLength(4);
  const elsewhere = (commands: string) => openTerminal(`${exports.join('\n')}\n${commands}`, directory, inherited);

  const receiver = elsewhere(listen);
  await readUntil(receiver.lines, /^Listening on /);
  const customer = elsewhere(apply);
  const applied = await readUntil(customer.lines, /acme +delivered/);
  expect(applied.join('\n')).toMatch(/acme +created/);
  expect(applied.at(-2)).toMatch(/^evt_\S+ \(root-cause\) is written to root-cause\.events, for acme\.$/);
  expect((await once(customer.terminal, 'close'))[0]).toBe(0);
  const [received] = (await readUntil(receiver.lines, /root-cause/)).slice(-1);
  expect(received).toMatch(/evt_\S+ {2}attempt 1 {2}signature valid {2}answered 200$/);
  await readUntil(receiver.lines, /"company": "ACME Corporation"/);

  const operator = elsewhere(operate);
  const shown = (await readUntil(operator.lines, /accounted for/)).join('\n');
  expect(shown).toMatch(/^acme +active +1 +0/m);
  expect(shown).toContain('acme: active → paused\nacme: paused → active');
  expect((await once(operator.terminal, 'close'))[0]).toBe(0);
}, 300_000);
