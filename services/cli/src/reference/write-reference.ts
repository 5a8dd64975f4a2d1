/** `npm run reference`: writes docs/cli.md. */
import { writeFileSync } from 'node:fs';
import { createProgram } from '../program.ts';
import { referenceOf } from './reference.ts';

const nothing = () => {
  throw new Error('nothing is asked');
};
const program = await createProgram({ env: {}, api: nothing, notWell: nothing }, []);
writeFileSync(new URL('../../../../docs/cli.md', import.meta.url), referenceOf(program));
