import { readdirSync, readFileSync } from 'node:fs';

const ENDING = '.v1.0.avsc';

/** @returns the text of `src/event/pinned-schemas.ts`, from the `.avsc` files beside this one */
export function pinnedSchemasModule(): string {
  const files = readdirSync(new URL('.', import.meta.url)).filter((file) => file.endsWith(ENDING));
  const entries = files.sort().map((file) => {
    const text = readFileSync(new URL(file, import.meta.url), 'utf8');
    const name = file.slice(0, -ENDING.length);
    // As Biome formats it.
    return `  ${/\W/.test(name) ? `'${name}'` : name}: \`${text.replaceAll(/`|\$\{|\\/g, '\\$&')}\`,\n`;
  });
  return `/** Written by \`npm run schemas\` from schemas/avro: the pinned schema of each event type, as its file has it. */
export const PINNED_SCHEMAS: Readonly<Record<string, string>> = {
${entries.join('')}};
`;
}
