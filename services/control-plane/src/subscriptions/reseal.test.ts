/** What the guide says of secrets: they are opened in delivery workers, and elsewhere by one file alone. */
import { readdirSync, readFileSync } from 'node:fs';

const services = new URL('../../../', import.meta.url);

test('no service but delivery opens a secret, and one file seals them anew', () => {
  const files = readdirSync(services, { recursive: true, encoding: 'utf8' }).filter(
    (name) => /^[\w-]+\/src\/.*\.ts$/.test(name) && !name.endsWith('.test.ts'),
  );
  const using = (pattern: RegExp) =>
    files.filter((name) => pattern.test(readFileSync(new URL(name, services), 'utf8')));
  expect(using(/\.unseal\(/).sort()).toEqual(['delivery/src/worker/worker.ts', 'kernel/src/secrets/key-ring.ts']);
  expect(using(/\.reseal\(/)).toEqual(['control-plane/src/subscriptions/reseal.ts']);
});
