/** `npm run logs`: writes the table of docs/logs.md from log-events.ts. */
import { readFileSync, writeFileSync } from 'node:fs';
import { LOG_EVENTS } from './log-events.ts';

const page = new URL('../../../docs/logs.md', import.meta.url);
const rows = Object.entries(LOG_EVENTS).map(([code, meaning]) => `| \`${code}\` | ${meaning} |`);
const [before = ''] = readFileSync(page, 'utf8').split('| event |');
writeFileSync(page, `${before}| event | meaning |\n| --- | --- |\n${rows.join('\n')}\n`);
