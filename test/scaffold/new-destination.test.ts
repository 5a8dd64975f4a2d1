import { execFile } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { newDestination } from './new-destination.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const run = promisify(execFile);
let copy: string;

beforeEach(() => {
  copy = mkdtempSync(join(tmpdir(), 'databridge-new-destination-'));
  for (const folder of ['src', 'avro']) {
    cpSync(join(root, 'schemas', folder), join(copy, 'schemas', folder), { recursive: true });
  }
  for (const file of ['tsconfig.json', 'schemas/tsconfig.json', 'schemas/package.json']) {
    cpSync(join(root, file), join(copy, file));
  }
  symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'));
});

afterEach(() => rmSync(copy, { recursive: true, force: true }));

test('the skeleton of a new destination type-checks, is registered, and validates subscriptions', async () => {
  const paths = newDestination('pager-duty-2', copy);
  expect(paths).toEqual([
    'schemas/src/destination/pager-duty-2/kind.ts',
    'schemas/src/destination/pager-duty-2/kind.test.ts',
    'schemas/src/destination/pager-duty-2/pager-duty-2.contract.test.ts',
    'schemas/src/destination/pager-duty-2/README.md',
    'schemas/src/destination/kinds.ts',
  ]);
  await run(join(root, 'node_modules', '.bin', 'tsc'), ['--project', join(copy, 'schemas'), '--incremental', 'false']);
  const program = `
    import { parseSubscription } from ${JSON.stringify(join(copy, 'schemas/src/subscription/subscription.ts'))};
    const destination = { type: 'pager-duty-2', url: 'https://acme.example/' };
    const common = { customer: 'acme', eventTypes: ['root-cause'], match: 'everything' };
    console.log(JSON.stringify(parseSubscription({ ...common, destination })));`;
  const { stdout } = await run(process.execPath, ['--input-type=module', '--eval', program]);
  expect(JSON.parse(stdout)).toMatchObject({
    ok: false,
    issues: [{ path: ['authentication', 'type'], message: 'must be api-key for pager-duty-2' }],
  });
});

test('the registered kinds stay in order, and the comment above them stays', () => {
  newDestination('aardvark', copy);
  const lines = readFileSync(join(copy, 'schemas/src/destination/kinds.ts'), 'utf8').split('\n');
  expect(lines[0]).toMatch(/^\/\*\*/);
  expect(lines[1]).toBe("export { aardvark } from './aardvark/kind.ts';");
  expect(lines.slice(1, -1)).toEqual(lines.slice(1, -1).sort());
});

test('a name that is taken or malformed is refused, and nothing is written', () => {
  expect(() => newDestination('sqs', copy)).toThrow('schemas/src/destination/sqs exists already');
  expect(() => newDestination('My Queue', copy)).toThrow('"My Queue" can\'t be the name of a destination');
  expect(() => newDestination('', copy)).toThrow('use lower-case letters, digits and hyphens');
});
