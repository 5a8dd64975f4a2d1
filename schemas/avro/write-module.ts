/** `npm run schemas`: writes the pinned schemas into a module, since the package `schemas` reads no files. */
import { writeFileSync } from 'node:fs';
import { pinnedSchemasModule } from './pinned-schemas-module.ts';

writeFileSync(new URL('../src/event/pinned-schemas.ts', import.meta.url), pinnedSchemasModule());
