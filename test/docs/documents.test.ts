/** What the documents name is there, and what is there is named. */
import { existsSync, globSync, readdirSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { controlPlaneVariables } from '@databridge/control-plane/config';
import { deliveryVariables } from '@databridge/delivery/config';
import { fanOutVariables } from '@databridge/fan-out/config';
import type { StatedRange } from '@databridge/kernel/settings/config';
import { existingMetrics } from './existing-metrics.ts';

const root = new URL('../../', import.meta.url);
const read = (path: string) => readFileSync(new URL(path, root), 'utf8');
const documents = [
  ...['README.md', 'ARCHITECTURE.md', 'CONTRIBUTING.md'],
  ...[...pagesUnder('docs/'), ...pagesUnder('schemas/src/destination/')],
];

function pagesUnder(folder: string): string[] {
  return readdirSync(new URL(folder, root), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md'))
    .map((name) => folder + name);
}

const named = (text: string, pattern: RegExp) => new Set([...text.matchAll(pattern)].map(([, name]) => name as string));

test('every setting of the services is documented, and every documented one of theirs exists', () => {
  const inTables = named(read('docs/configuration.md').split('## `npm start`')[0] ?? '', /^\| `([A-Z0-9_]+)`/gm);
  const services = [fanOutVariables.shape, deliveryVariables.in.shape, controlPlaneVariables.in.shape];
  const exist = new Set(services.flatMap((shape) => Object.keys(shape)));
  expect([...inTables].sort()).toEqual([...exist].sort());
});

test('the range of every number and duration among the settings is stated', () => {
  const [ofServices = ''] = read('docs/configuration.md').split('## `npm start`');
  const rows = new Map([...ofServices.matchAll(/^\| `([A-Z0-9_]+)`.*$/gm)].map(([row, name]) => [name, row]));
  const services = [fanOutVariables.shape, deliveryVariables.in.shape, controlPlaneVariables.in.shape];
  const ranges = services
    .flatMap((shape) => Object.entries<{ meta(): object | undefined }>(shape))
    .flatMap(([name, schema]) => {
      const { range } = (schema.meta() ?? {}) as Partial<StatedRange>;
      return range === undefined ? [] : [[name, `\`${range[0]}\` to \`${range[1]}\``] as const];
    });
  expect(ranges.length).toBeGreaterThan(25);
  expect(ranges.filter(([name, words]) => !rows.get(name)?.includes(words))).toEqual([]);
});

test('every metric of the services is documented, and every documented one exists', () => {
  const exist = new Set(existingMetrics().filter((name) => name.startsWith('databridge_')));
  const inTables = named(read('docs/metrics.md').split('## Fan-out')[1] ?? '', /^\| `([a-z0-9_]+)`/gm);
  expect([...inTables].sort()).toEqual([...exist].sort());
});

test.each(documents)('%s names only files and scripts that exist', (page) => {
  const text = read(page);
  const folder = new URL(page, root);
  const links = [...named(text, /\]\((?!https?:|#)([^)#]+)/g)].filter((link) => !existsSync(new URL(link, folder)));
  const paths = [...named(text, /`((?:services|schemas|test|docs|deploy)\/[\w./-]+)`/g)].filter(
    (path) => !existsSync(new URL(path, root)),
  );
  const scripts = JSON.parse(read('package.json')).scripts as Record<string, string>;
  const commands = [...named(text, /npm run ([\w:-]+)/g)].filter((name) => !(name in scripts));
  expect({ links, paths, commands }).toEqual({ links: [], paths: [], commands: [] });
});

test('ARCHITECTURE names every folder of the services that run, and links every decision', () => {
  const text = read('ARCHITECTURE.md');
  const [, picture = ''] = /The folders;[^`]*```([^`]*)```/.exec(text) ?? [];
  const words = new Set(picture.split(/[\s,;()]+/));
  const folders = globSync('{schemas,services/{kernel,fan-out,delivery,control-plane,cli}}/src/*/', { cwd: root });
  expect(folders.length).toBeGreaterThan(40);
  expect(folders.filter((folder) => !words.has(basename(folder)))).toEqual([]);
  const decisions = globSync('docs/decisions/*.md', { cwd: root });
  expect(decisions.filter((page) => !text.includes(`](${page})`))).toEqual([]);
});
