/** The page of one event type for people: its fields with their descriptions, and a sample. It has no script. */
import type { EventType } from '@databridge/schemas/event/event-types';
import type { JsonSchema } from '@databridge/schemas/event/json-schema';

const STYLE = `
:root { color-scheme: light dark; font: 1rem/1.5 system-ui, sans-serif; }
body { max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
table { border-collapse: collapse; width: 100%; }
th, td { border: 1px solid GrayText; padding: .3rem .6rem; text-align: left; vertical-align: top; }
pre { overflow-x: auto; border: 1px solid GrayText; padding: 1rem; }
code { font-family: ui-monospace, monospace; }`;

/** For the `content-security-policy` of the page: it contains one style sheet and nothing else. */
export const PAGE_STYLE = STYLE;

export function eventPage(type: EventType): string {
  const title = `${type.name} ${type.schemaVersion}`;
  const definitions = (type.jsonSchema['$defs'] ?? {}) as Readonly<Record<string, JsonSchema>>;
  const sections = Object.entries(definitions).map(
    ([name, schema]) => `<h2 id="${text(name)}">${text(name)}</h2>\n${described(schema)}`,
  );
  const sample = JSON.stringify(JSON.parse(type.sample()), null, 2);
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${text(title)}</title>
<style>${STYLE}</style>
</head>
<body>
<main>
<h1>${text(title)}</h1>
${described(type.jsonSchema)}
${sections.join('\n')}
<h2 id="sample">Sample</h2>
<pre><code>${text(sample)}</code></pre>
</main>
</body>
</html>
`;
}

function described(schema: JsonSchema): string {
  const properties = (schema['properties'] ?? {}) as Readonly<Record<string, JsonSchema>>;
  const required = new Set((schema['required'] ?? []) as readonly string[]);
  const rows = Object.entries(properties).map(
    ([name, member]) =>
      `<tr><th scope="row"><code>${text(name)}</code></th><td>${typeText(member)}</td>` +
      `<td>${required.has(name) ? 'always' : 'if the call has it'}</td><td>${text(String(member['description'] ?? ''))}</td></tr>`,
  );
  const about = schema['description'] === undefined ? '' : `<p>${text(String(schema['description']))}</p>\n`;
  return `${about}<table>
<thead><tr><th scope="col">field</th><th scope="col">value</th><th scope="col">present</th><th scope="col">meaning</th></tr></thead>
<tbody>
${rows.join('\n')}
</tbody>
</table>`;
}

/** HTML for the type of a value, such as `text or null`. */
function typeText(schema: JsonSchema): string {
  const { $ref, anyOf, type, items, additionalProperties } = schema;
  if (typeof $ref === 'string') {
    const name = $ref.slice($ref.lastIndexOf('/') + 1);
    return `<a href="#${text(name)}">${text(name)}</a>`;
  }
  if (Array.isArray(anyOf)) return (anyOf as JsonSchema[]).map(typeText).join(' or ');
  if ('const' in schema) return `<code>${text(JSON.stringify(schema['const']))}</code>`;
  if (Array.isArray(schema['enum'])) {
    return schema['enum'].map((one) => `<code>${text(JSON.stringify(one))}</code>`).join(' or ');
  }
  if (type === 'array') return `list of ${typeText(items as JsonSchema)}`;
  if (type === 'object') return `object with values: ${typeText(additionalProperties as JsonSchema)}`;
  if (schema['contentEncoding'] === 'base64') return 'text in base64';
  if (typeof schema['pattern'] === 'string') return `text that matches <code>${text(schema['pattern'])}</code>`;
  return text(type === 'string' ? 'text' : String(type));
}

const ESCAPES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

function text(value: string): string {
  return value.replaceAll(/[&<>"]/g, (character) => ESCAPES[character] ?? character);
}
