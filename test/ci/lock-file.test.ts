/** `npm install` changes nothing, on any system and with any registry, and prints no warning that a newcomer must judge. */
import { readFileSync } from 'node:fs';

const read = (path: string) => JSON.parse(readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8'));
interface Locked {
  readonly resolved?: string;
  readonly hasInstallScript?: boolean;
  readonly optional?: boolean;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}
const packages = Object.entries(read('package-lock.json').packages as Record<string, Locked>);
const names = new Set(packages.map(([path]) => path));

test('the lock file names no registry host', () => {
  expect(packages.filter(([, { resolved }]) => resolved?.includes('://'))).toEqual([]);
});

test('the lock file contains the optional packages of every system', () => {
  const missing = packages.flatMap(([path, { optionalDependencies = {} }]) =>
    Object.keys(optionalDependencies).filter(
      (name) => !names.has(`node_modules/${name}`) && !names.has(`${path}/node_modules/${name}`),
    ),
  );
  expect(missing).toEqual([]);
});

test('every install script has been decided on: allowed, or skipped', () => {
  const decided = Object.keys(read('package.json').allowScripts).sort();
  const withScript = packages.filter(([, { hasInstallScript }]) => hasInstallScript);
  const found = withScript.map(([path]) => path.split('node_modules/').at(-1) ?? path);
  expect([...new Set(found)].sort()).toEqual(decided);
});
