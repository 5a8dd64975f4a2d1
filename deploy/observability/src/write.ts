/** `npm run observability`: writes the dashboards, the rules and the example configuration of Alertmanager. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { writtenFiles } from './written-files.ts';

const root = new URL('../../../', import.meta.url);
for (const [path, content] of writtenFiles()) {
  const file = new URL(path, root);
  mkdirSync(new URL('.', file), { recursive: true });
  writeFileSync(file, content);
}
