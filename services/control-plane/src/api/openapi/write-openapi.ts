/** `npm run openapi`: writes the document that the API serves, for readers who do not run it. */
import { writeFileSync } from 'node:fs';
import { openApiDocument } from './openapi-document.ts';

const file = new URL('../../../../../docs/openapi.json', import.meta.url);
writeFileSync(file, `${JSON.stringify(await openApiDocument(), null, 2)}\n`);
