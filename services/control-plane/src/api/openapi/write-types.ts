/** `npm run openapi` writes the types of docs/openapi.json for clients of the API: the portal and the command line. */
import { readFileSync, writeFileSync } from 'node:fs';

interface Schema {
  readonly $ref?: string;
  readonly type?: string | readonly string[];
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly allOf?: readonly Schema[];
  readonly items?: Schema;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: boolean | Schema;
}

interface Described {
  readonly parameters?: readonly { readonly name: string; readonly in: string; readonly schema: Schema }[];
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema: Schema }>> };
  readonly responses: Readonly<
    Record<string, { readonly content?: Readonly<Record<string, { readonly schema: Schema }>> }>
  >;
}

interface Document {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Described>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> };
}

const METHODS = ['get', 'post', 'put', 'patch', 'delete'];

function typesOf({ paths, components }: Document): string {
  const schemas = Object.entries(components.schemas).map(
    ([name, schema]) => `export type ${name} = ${typeOf(schema)};`,
  );
  const routes = Object.entries(paths).flatMap(([path, methods]) =>
    METHODS.flatMap((method) => (methods[method] === undefined ? [] : [routeOf(method, path, methods[method])])),
  );
  return [
    '/** Generated from docs/openapi.json by `npm run openapi`; a test fails when this file is stale. */',
    ...schemas,
    '/** The types of request and answer, by method and path. */',
    `export interface Routes {\n${routes.join('\n')}\n}\n`,
  ].join('\n\n');
}

function routeOf(method: string, path: string, { parameters = [], requestBody, responses }: Described): string {
  const query = objectOf(
    parameters.filter((one) => one.in === 'query').map(({ name, schema }) => [name, schema, false] as const),
  );
  const body = Object.values(requestBody?.content ?? {})[0]?.schema;
  const answers = Object.entries(responses)
    .filter(([status]) => status.startsWith('2'))
    .flatMap(([, { content = {} }]) => content['application/json']?.schema ?? []);
  const answer = [...new Set(answers.map(typeOf))].join(' | ') || 'undefined';
  return `  '${method.toUpperCase()} ${path}': {
    query: ${query};
    body: ${body === undefined ? 'undefined' : typeOf(body)};
    answer: ${answer};
  };`;
}

function typeOf(schema: Schema): string {
  if (schema.$ref !== undefined) return schema.$ref.split('/').at(-1) ?? 'unknown';
  if (schema.const !== undefined) return literal(schema.const);
  if (schema.enum !== undefined) return schema.enum.map(literal).join(' | ');
  const choices = schema.anyOf ?? schema.oneOf;
  if (choices !== undefined) return unionOf(choices.map(typeOf));
  if (schema.allOf !== undefined) return schema.allOf.map(typeOf).join(' & ');
  if (Array.isArray(schema.type)) return unionOf(schema.type.map((type: string) => typeOf({ ...schema, type })));
  switch (schema.type) {
    case 'string':
      return 'string';
    case 'number':
    case 'integer':
      return 'number';
    case 'boolean':
      return 'boolean';
    case 'null':
      return 'null';
    case 'array':
      return `readonly (${typeOf(schema.items ?? {})})[]`;
    case 'object':
      return recordOf(schema);
    default:
      return 'unknown';
  }
}

function recordOf({ properties, required = [], additionalProperties }: Schema): string {
  if (properties !== undefined) {
    const known = objectOf(
      Object.entries(properties).map(([name, schema]) => [name, schema, required.includes(name)] as const),
    );
    return isOpen(additionalProperties) ? `${known} & Readonly<Record<string, unknown>>` : known;
  }
  if (typeof additionalProperties === 'object') return `Readonly<Record<string, ${typeOf(additionalProperties)}>>`;
  return 'Readonly<Record<string, unknown>>';
}

const isOpen = (additional: boolean | Schema | undefined) =>
  additional === true || (typeof additional === 'object' && Object.keys(additional).length === 0);

function objectOf(fields: readonly (readonly [name: string, schema: Schema, isRequired: boolean])[]): string {
  const lines = fields.map(([name, schema, isRequired]) => {
    const type = typeOf(schema);
    const key = /^[A-Za-z_$][\w$]*$/.test(name) ? name : `'${name}'`;
    return `readonly ${key}${isRequired ? '' : '?'}: ${type}${isRequired ? '' : ' | undefined'};`;
  });
  return lines.length === 0 ? 'Readonly<Record<string, never>>' : `{ ${lines.join(' ')} }`;
}

const unionOf = (types: readonly string[]) => [...new Set(types)].join(' | ');
const literal = (value: unknown) => (typeof value === 'string' ? `'${value.replaceAll("'", "\\'")}'` : String(value));

export const TYPES_FILE = new URL('../../../../../schemas/src/api/types.ts', import.meta.url);

export function typesText(): string {
  const document = readFileSync(new URL('../../../../../docs/openapi.json', import.meta.url), 'utf8');
  return typesOf(JSON.parse(document) as Document);
}

if (import.meta.main) writeFileSync(TYPES_FILE, typesText());
