/** What the guide says of secrets: they are opened in delivery workers, and where an operator rotates keys. */
import { readdirSync, readFileSync } from 'node:fs';

const services = new URL('../../../', import.meta.url);

test('nothing but a delivery worker and the rotation of the command line can open a secret', () => {
  const files = readdirSync(services, { recursive: true, encoding: 'utf8' }).filter(
    (name) => /^[\w-]+\/src\/.*\.ts$/.test(name) && !name.endsWith('.test.ts'),
  );
  const using = (pattern: RegExp) =>
    files.filter((name) => pattern.test(readFileSync(new URL(name, services), 'utf8'))).sort();
  expect(using(/secrets\/opener'|from '\.\/opener\.ts'/)).toEqual([
    'cli/src/commands/offline/rotate-keys.ts',
    'delivery/src/worker/open-secrets.ts',
    'delivery/src/worker/worker.ts',
  ]);
});
