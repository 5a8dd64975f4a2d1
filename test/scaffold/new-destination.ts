/**
 * `npm run new:destination NAME`: makes the folder of a new kind of destination, which works and passes its tests, and
 * registers it. CONTRIBUTING.md says what to do next.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { skeletonOf } from './destination-skeleton.ts';

/**
 * @param root of the repository, or of a copy
 * @returns the paths that were written, relative to the root
 * @throws {Error} if the name can't be used
 */
export function newDestination(name: string, root: string): string[] {
  if (!/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/.test(name)) {
    throw new Error(
      `"${name}" can't be the name of a destination: use lower-case letters, digits and hyphens (my-queue)`,
    );
  }
  const folder = `schemas/src/destination/${name}`;
  if (existsSync(join(root, folder))) throw new Error(`${folder} exists already: choose another name, or delete it`);
  const identifier = name.replace(/-([a-z0-9])/g, (_hyphen, letter: string) => letter.toUpperCase());
  const kinds = 'schemas/src/destination/kinds.ts';
  const [comment = '', ...lines] = readFileSync(join(root, kinds), 'utf8').trimEnd().split('\n');
  const registration = `export { ${identifier} } from './${name}/kind.ts';`;
  const files = {
    ...skeletonOf(name, identifier),
    [kinds]: [comment, ...[...lines, registration].sort(), ''].join('\n'),
  };
  mkdirSync(join(root, folder));
  const paths = Object.entries(files).map(([path, text]) => {
    const place = path === kinds ? path : `${folder}/${path}`;
    writeFileSync(join(root, place), text);
    return place;
  });
  return paths;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  try {
    const paths = newDestination(process.argv[2] ?? '', fileURLToPath(new URL('../..', import.meta.url)));
    process.stdout.write(`Written:\n${paths.map((path) => `  ${path}`).join('\n')}\n`);
    process.stdout.write(
      'Next: npm run openapi && npm run reference, and the section "A new destination" of CONTRIBUTING.md\n',
    );
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : error}\n`);
    process.exitCode = 1;
  }
}
