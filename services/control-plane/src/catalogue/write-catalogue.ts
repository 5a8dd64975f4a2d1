/** `npm run catalogue`: writes the event catalogue into `docs/`. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { catalogueFiles } from './catalogue-files.ts';

const docs = new URL('../../../../docs/', import.meta.url);
for (const [path, text] of Object.entries(catalogueFiles())) {
  const file = new URL(path, docs);
  mkdirSync(new URL('.', file), { recursive: true });
  writeFileSync(file, text);
}
