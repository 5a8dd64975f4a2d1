import { readFileSync } from 'node:fs';
import { openApiDocument } from './openapi-document.ts';

test('docs/openapi.json is what the API serves; "npm run openapi" makes it so', async () => {
  const file = new URL('../../../../../docs/openapi.json', import.meta.url);
  expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual(await openApiDocument());
});
