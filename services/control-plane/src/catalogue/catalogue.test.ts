import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { describedEventType } from '@databridge/schemas/event/event-types';
import { Ajv } from 'ajv';
import { asyncApiOf } from './asyncapi.ts';
import { catalogueFiles } from './catalogue-files.ts';
import { eventPage } from './event-page.ts';

const docs = new URL('../../../../docs/', import.meta.url);
const require = createRequire(import.meta.url);

test.each(Object.entries(catalogueFiles()))('docs/%s is what "npm run catalogue" writes', (path, text) => {
  const committed = readFileSync(new URL(path, docs), 'utf8');
  // The formatter writes JSON in its own way.
  if (path.endsWith('.json')) expect(JSON.parse(committed)).toEqual(JSON.parse(text));
  else expect(committed).toBe(text);
});

/** The published schema of AsyncAPI 3.0.0 documents. Compiling it takes most of the test's time. */
function asyncApiValidator(): (document: unknown) => unknown[] {
  const schema = JSON.parse(readFileSync(require.resolve('@asyncapi/specs/schemas/3.0.0.json'), 'utf8')) as object;
  const ajv = new Ajv({ strict: false, logger: false, validateFormats: false, meta: false, validateSchema: false });
  const validate = ajv.compile(schema);
  return (document) => (validate(document) ? [] : (validate.errors ?? []));
}

test('the AsyncAPI document fits the schema of AsyncAPI 3, and a spoilt one does not', () => {
  const rootCause = describedEventType('root-cause');
  const document = asyncApiOf(rootCause ? [rootCause] : []);
  const asyncApiMistakes = asyncApiValidator();
  expect(asyncApiMistakes(document)).toEqual([]);
  expect(asyncApiMistakes({ ...document, operations: { broken: { action: 'read' } } })).not.toEqual([]);
});

test('the page of an event type names each field, with what the schema says of it', () => {
  const type = describedEventType('root-cause');
  const page = type === undefined ? '' : eventPage(type);
  const avro = JSON.parse(type?.schemaJson ?? '{}') as { fields: { name: string; doc: string }[] };
  expect(avro.fields.length).toBeGreaterThan(5);
  for (const { name, doc } of avro.fields) {
    expect(page).toContain(`<code>${name}</code>`);
    expect(page).toContain(doc.replaceAll('"', '&quot;'));
  }
  // Each link leads to a heading.
  const targets = [...page.matchAll(/href="#([^"]+)"/g)].map(([, target]) => target);
  expect(targets.filter((target) => !page.includes(`id="${target}"`))).toEqual([]);
});
