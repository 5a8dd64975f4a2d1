import { readFileSync } from 'node:fs';
import { writtenFiles } from './written-files.ts';

test.each([...writtenFiles()])('%s is as its source writes it: npm run observability', (path, content) => {
  expect(readFileSync(new URL(`../../../${path}`, import.meta.url), 'utf8')).toBe(content);
});
