/** Imports of the whole tree, by its files: no circles, and nothing heavy on the way to the command line's start. */
import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../', import.meta.url));
const files = globSync('{schemas,services/*}/src/**/*.ts', { cwd: root }).filter((file) => !file.endsWith('.test.ts'));

/** Static imports that remain once types are erased. */
function importsOf(file: string): string[] {
  const text = readFileSync(join(root, file), 'utf8');
  return [...text.matchAll(/^(?:import|export)\s+(?!type\b)(?:[^;'"]*?\sfrom\s+)?['"]([^'"]+)['"]/gm)]
    .filter(([statement]) => !/^\w+\s+\{(?:\s*type\s[^,}]+,?)+\s*\}/.test(statement))
    .map(([, specifier]) => specifier as string);
}

/** @returns a file of the tree, or the name of another package */
function resolve(from: string, specifier: string): string {
  if (specifier.startsWith('.')) return normalize(join(dirname(from), specifier));
  const [, name, path] = /^@databridge\/([\w-]+)\/(.+)$/.exec(specifier) ?? [];
  if (name === undefined)
    return specifier
      .split('/')
      .slice(0, specifier.startsWith('@') ? 2 : 1)
      .join('/');
  return `${name === 'schemas' ? name : `services/${name}`}/src/${path}.ts`;
}

const graph = new Map(files.map((file) => [file, importsOf(file).map((specifier) => resolve(file, specifier))]));

test('every import of the tree leads to a file that exists', () => {
  const lost = [...graph].flatMap(([file, imports]) =>
    imports.filter((to) => to.endsWith('.ts') && !existsSync(join(root, to))).map((to) => `${file} → ${to}`),
  );
  expect(files.length).toBeGreaterThan(200);
  expect(lost).toEqual([]);
});

test('no import circle', () => {
  const circles: string[] = [];
  const done = new Set<string>();
  const visit = (file: string, path: readonly string[]): void => {
    if (path.includes(file)) circles.push([...path.slice(path.indexOf(file)), file].join(' → '));
    if (done.has(file) || path.includes(file)) return;
    for (const next of graph.get(file) ?? []) visit(next, [...path, file]);
    done.add(file);
  };
  for (const file of files) visit(file, []);
  expect(circles).toEqual([]);
});

/** Other packages that a file leads to by static imports. */
function packagesFor(start: string): string[] {
  const reached = new Set<string>();
  const reach = (file: string): void => {
    if (reached.has(file)) return;
    reached.add(file);
    for (const next of graph.get(file) ?? []) reach(next);
  };
  reach(start);
  return [...reached].filter((name) => !/\.(ts|json)$/.test(name) && !name.startsWith('node:')).sort();
}

test('the command line starts without the packages that only some of its commands need', () => {
  expect(packagesFor('services/cli/src/main.ts')).toEqual(['commander']);
  // The schemas of the event types and the filters' language are for files that have filters or sections.
  expect(packagesFor('services/cli/src/commands/apply.ts')).toEqual(['p-limit', 'yaml', 'zod']);
});
