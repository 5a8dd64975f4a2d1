/** A part of `npm run reference`: writes the table of destinations in docs/destinations.md. */
import { readFileSync, writeFileSync } from 'node:fs';
import { withDestinationTable } from './destination-table.ts';

const page = new URL('../../docs/destinations.md', import.meta.url);
writeFileSync(page, withDestinationTable(readFileSync(page, 'utf8')));
