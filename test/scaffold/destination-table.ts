/** The table of destinations in docs/destinations.md, made of the registered kinds. */
import { DESTINATION_KINDS } from '@databridge/schemas/destination/destinations';

const BEGIN = '<!-- destinations: written by npm run reference -->';
const END = '<!-- end of destinations -->';

/** @returns the page with the table as the kinds have it now */
export function withDestinationTable(page: string): string {
  const [before, rest = ''] = page.split(BEGIN);
  const after = rest.split(END)[1];
  if (before === undefined || after === undefined) throw new Error(`the page must contain "${BEGIN}" and "${END}"`);
  return `${before}${BEGIN}\n${destinationTable()}\n${END}${after}`;
}

function destinationTable(): string {
  const rows = [...DESTINATION_KINDS].map(([type, { title, authentications, schema }]) => {
    const fields = Object.keys(schema.shape).filter(
      (field) => field !== 'type' && !/TimeoutMs$|^timeoutMs$/.test(field),
    );
    const link = `[${title}](../schemas/src/destination/${type}/README.md)`;
    return `| \`${type}\` | ${link} | ${quoted(authentications)} | ${quoted(fields)} |`;
  });
  return ['| type | destination | authentication | fields |', '| --- | --- | --- | --- |', ...rows].join('\n');
}

const quoted = (names: readonly string[]) => names.map((name) => `\`${name}\``).join(', ');
