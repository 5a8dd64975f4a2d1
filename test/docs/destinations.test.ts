/** Each kind of destination is a folder with its documentation and tests, and docs/destinations.md lists them all. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { DESTINATION_KINDS } from '@databridge/schemas/destination/destinations';
import { withDestinationTable } from '../scaffold/destination-table.ts';

const root = new URL('../../', import.meta.url);
const folder = new URL('schemas/src/destination/', root);

test('docs/destinations.md lists the registered kinds; "npm run reference" writes the table', () => {
  const page = readFileSync(new URL('docs/destinations.md', root), 'utf8');
  expect(withDestinationTable(page)).toBe(page);
});

test('each folder with a kind is registered under its name, and each registered kind has a folder', () => {
  const folders = readdirSync(folder).filter((name) => existsSync(new URL(`${name}/kind.ts`, folder)));
  expect(folders.sort()).toEqual([...DESTINATION_KINDS.keys()].sort());
});

test.each([...DESTINATION_KINDS.keys()])('%s describes each of its fields in its README', (type) => {
  const text = readFileSync(new URL(`${type}/README.md`, folder), 'utf8');
  const fields = Object.keys(DESTINATION_KINDS.get(type)?.schema.shape ?? {});
  const missing = fields.filter((name) => !text.includes(`\`${name}\``) && !/^type$|imeoutMs$/.test(name));
  expect(missing).toEqual([]);
  expect(text).toContain(`type: ${type}`);
});
