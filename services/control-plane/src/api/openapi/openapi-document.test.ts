import { readFileSync } from 'node:fs';
import { openApiDocument } from './openapi-document.ts';

test('docs/openapi.json is what the API serves; "npm run openapi" makes it so', async () => {
  const file = new URL('../../../../../docs/openapi.json', import.meta.url);
  expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual(await openApiDocument());
});

interface Schema {
  readonly $ref?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: unknown;
  readonly items?: Schema;
  readonly [combined: string]: unknown;
}

test('answers are closed: each field of each is described', async () => {
  const document = (await openApiDocument()) as unknown as {
    readonly paths: Record<string, Record<string, { readonly responses: Record<string, { content?: object }> }>>;
    readonly components: { readonly schemas: Record<string, Schema> };
  };
  const open = new Set<string>();
  const seen = new Set<string>();
  const walk = (schema: Schema | undefined, where: string): void => {
    if (typeof schema !== 'object' || schema === null) return;
    if (schema.$ref !== undefined) {
      const name = schema.$ref.split('/').at(-1) ?? '';
      if (!seen.has(name)) walk(document.components.schemas[seen.add(name) && name], name);
      return;
    }
    if (schema.properties !== undefined && schema.additionalProperties !== false) open.add(where);
    for (const [name, one] of Object.entries(schema.properties ?? {})) walk(one, `${where}.${name}`);
    walk(schema.items, `${where}[]`);
    for (const kind of ['anyOf', 'oneOf', 'allOf']) {
      for (const one of (schema[kind] as Schema[] | undefined) ?? []) walk(one, where);
    }
  };
  for (const [path, methods] of Object.entries(document.paths)) {
    for (const [method, { responses }] of Object.entries(methods)) {
      for (const [status, { content = {} }] of Object.entries(responses)) {
        if (!status.startsWith('2')) continue;
        for (const { schema } of Object.values(content) as { schema: Schema }[]) walk(schema, `${method} ${path}`);
      }
    }
  }
  expect([...open].sort()).toEqual([]);
});
