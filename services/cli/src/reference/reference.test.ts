import { readFileSync } from 'node:fs';
import { createProgram } from '../program.ts';
import { referenceOf } from './reference.ts';

test('docs/cli.md is what the program says; "npm run reference" makes it so', async () => {
  const nothing = () => {
    throw new Error('nothing is asked');
  };
  const program = await createProgram({ env: {}, api: nothing, notWell: nothing }, []);
  expect(readFileSync(new URL('../../../../docs/cli.md', import.meta.url), 'utf8')).toBe(referenceOf(program));
});
