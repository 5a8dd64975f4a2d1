/**
 * The schema registry. The important distinction here is between "the registry cannot be reached" and "the registry
 * does not know the id": the first is a failure of our infrastructure, so records wait; only the second can be the
 * fault of a record. The registry's client mixes them up, so it passes its requests to us. We fetch writers' schemas
 * ourselves, since the client compiles each of them at any cost: see docs/decisions/schema-registry-client.md.
 */

import { createSecureContext, type SecureContextOptions } from 'node:tls';
import { MAX_SCHEMA_CHARS, parseSchema } from '@databridge/schemas/event/avro/avro-schema';
import type { SchemaRegistry as Client, COMPATIBILITY as Levels } from '@kafkajs/confluent-schema-registry';
import { Agent, fetch } from 'undici';
import { DatabridgeError, messageOf } from '../errors.ts';

export interface SchemaRegistrySettings {
  /** The base of the Confluent API, such as `http://registry:8081`. */
  readonly url: string;
  /** The `Authorization` header of a request; if omitted, there is none. It may throw, if it is read from a file. */
  readonly authorization?: () => string;
  /** PEM texts. */
  readonly tls?: { readonly ca?: string; readonly cert?: string; readonly key?: string };
  /** The time limit of one request, answer included. */
  readonly timeoutMs?: number;
}

export type WriterSchema =
  /** Avro, in JSON; and the schemas of other subjects that it refers to, each after those that it refers to itself. */
  | { readonly kind: 'schema'; readonly schema: string; readonly references?: readonly string[] }
  /** The registry has the schema, but it is not Avro, or not valid. */
  | { readonly kind: 'unusable'; readonly detail: string }
  /** The registry has answered that there is no such schema. A registry that has just started may still learn of it. */
  | { readonly kind: 'unknown-id' }
  /** Nothing is known about the id: there was no answer, or none from a registry that can look it up. */
  | { readonly kind: 'unreachable'; readonly error: DatabridgeError };

/**
 * Every later schema must be able to read every earlier one, and the other way round: producers are upgraded at any
 * time.
 */
export const COMPATIBILITY = 'FULL_TRANSITIVE' as Levels.FULL_TRANSITIVE;

const CONTENT_TYPE = 'application/vnd.schemaregistry.v1+json';
const DEFAULT_TIMEOUT_MS = 5_000;
/** Producers choose the ids, possibly thousands of them, and the registry has other clients, too. */
const MAX_REQUESTS_AT_ONCE = 16;
const MAX_REMEMBERED_SCHEMAS = 500;
const MAX_REFERENCES = 100;
/** An answer consists of the schema's text, escaped, and little else. */
const MAX_ANSWER_BYTES = 4 * MAX_SCHEMA_CHARS;

/** The schema type of the registry if it states none. */
const AVRO = 'AVRO';
/** Error codes for an id that does not exist. Any other refusal says nothing about the id. */
const NOT_FOUND = 404;
/** 4xx statuses that concern us or the moment, and not the requested schema. */
const UNAVAILABLE_STATUS = new Set([401, 403, 407, 408, 425, 429]);

type Answer = Readonly<Record<string, unknown>>;
type Middleware = NonNullable<ConstructorParameters<typeof Client>[0]['middlewares']>[number];
type ClientResponse = Awaited<ReturnType<NonNullable<ReturnType<Middleware>['response']>>>;

/** The properties that an answer must have, by the client's name for the request. The client does not check them. */
const PROMISED: Readonly<Record<string, readonly [field: string, type: 'string' | 'number']>> = {
  config: ['compatibilityLevel', 'string'],
  register: ['id', 'number'],
};

/** The registry refused the request. */
class Refusal extends Error {
  /** The client reads this: a 404 means that a subject has no compatibility rule of its own. */
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

export class SchemaRegistry {
  readonly #baseUrl: string;
  readonly #timeoutMs: number;
  readonly #authorization: (() => string) | undefined;
  readonly #dispatcher: Agent;
  #client: Client | undefined;
  readonly #turns = new Turns(MAX_REQUESTS_AT_ONCE);
  /** The latest valid schemas are kept: an id never changes its meaning. */
  readonly #writerSchemas = new Map<number, Promise<WriterSchema>>();

  /** @throws {DatabridgeError} DB_CONFIG_INVALID for TLS material that can't be used */
  constructor(settings: SchemaRegistrySettings) {
    this.#authorization = settings.authorization;
    this.#dispatcher = new Agent({ ...(settings.tls && { connect: secured(settings.tls) }) });
    this.#baseUrl = settings.url.replace(/\/+$/, '');
    this.#timeoutMs = settings.timeoutMs ?? DEFAULT_TIMEOUT_MS;
  }

  /**
   * Never rejects. Known schemas are remembered; callers that ask for the same id at the same time share one request.
   */
  writerSchema(id: number): Promise<WriterSchema> {
    const known = this.#writerSchemas.get(id);
    if (known) return known;
    const answer = this.#turns
      .take(() => this.#ask(id))
      .then((found) => {
        if (found.kind !== 'schema') this.#writerSchemas.delete(id);
        return found;
      });
    this.#writerSchemas.set(id, answer);
    const [oldest] = this.#writerSchemas.keys();
    if (this.#writerSchemas.size > MAX_REMEMBERED_SCHEMAS && oldest !== undefined) this.#writerSchemas.delete(oldest);
    return answer;
  }

  async #ask(id: number): Promise<WriterSchema> {
    try {
      const found = await this.#request('GET', `/schemas/ids/${id}`);
      const { schema, schemaType } = found;
      if (typeof schema !== 'string') throw unavailable(`the answer to GET /schemas/ids/${id} contains no schema`);
      if (String(schemaType ?? AVRO).toUpperCase() !== AVRO)
        return { kind: 'unusable', detail: `schema ${id} is not Avro` };
      const references: string[] = [];
      await this.#fetchReferences(found, references, new Set());
      parseSchema(schema, references);
      return { kind: 'schema', schema, ...(references.length > 0 && { references }) };
    } catch (error) {
      if (error instanceof DatabridgeError) return { kind: 'unreachable', error };
      if (error instanceof Refusal && error.status === NOT_FOUND) return { kind: 'unknown-id' };
      if (error instanceof Refusal)
        return { kind: 'unreachable', error: unavailable(`${error.status}: ${error.message}`) };
      return { kind: 'unusable', detail: `schema ${id} can't be used: ${messageOf(error)}` };
    }
  }

  /**
   * The referenced schemas, each after those that it refers to itself.
   * @throws {Refusal} if one of them does not exist any more
   */
  async #fetchReferences({ references }: Answer, texts: string[], seen: Set<string>): Promise<void> {
    for (const { subject, version } of (references ?? []) as readonly Answer[]) {
      const path = `/subjects/${encodeURIComponent(String(subject))}/versions/${encodeURIComponent(String(version))}`;
      if (seen.has(path)) continue;
      if (seen.size >= MAX_REFERENCES) throw new Error(`it refers to more than ${MAX_REFERENCES} other schemas`);
      seen.add(path);
      const found = await this.#request('GET', path);
      if (typeof found['schema'] !== 'string') throw unavailable(`the answer to GET ${path} contains no schema`);
      await this.#fetchReferences(found, texts, seen);
      texts.push(found['schema']);
    }
  }

  /**
   * Sets the compatibility rule of a subject's schemas, before its first schema: registries begin with different rules,
   * Apicurio with none.
   * @throws {DatabridgeError} DB_REGISTRY_UNAVAILABLE, DB_REGISTRY_REFUSED
   */
  async ensureCompatibility(subject: string, compatibility: string = COMPATIBILITY): Promise<void> {
    // The client does so too, but only after the first schema: another schema could be registered in between.
    const put = () => this.#request('PUT', `/config/${encodeURIComponent(subject)}`, JSON.stringify({ compatibility }));
    await onceMore(put, `compatibility ${compatibility} for ${subject}`);
  }

  /**
   * The compatibility rule of the subject's schemas, either the subject's own or the registry's.
   * @returns undefined if the registry has none
   * @throws {DatabridgeError} DB_REGISTRY_UNAVAILABLE, also if it refuses our credentials
   */
  async compatibilityOf(subject: string): Promise<string | undefined> {
    try {
      const answer = await this.#request('GET', `/config/${encodeURIComponent(subject)}?defaultToGlobal=true`);
      const level = answer['compatibilityLevel'];
      return typeof level === 'string' ? level : undefined;
    } catch (error) {
      if (error instanceof Refusal) return undefined;
      throw error;
    }
  }

  /**
   * Registering a schema again changes nothing and returns the same id.
   * @throws {DatabridgeError} DB_REGISTRY_UNAVAILABLE; DB_REGISTRY_REFUSED if the schema does not fit earlier ones, or
   *   is not a valid named Avro schema, or the subject has another compatibility rule than ours
   */
  register(subject: string, schemaJson: string): Promise<number> {
    return onceMore(() => this.#register(subject, schemaJson), `the schema for ${subject}`);
  }

  async #register(subject: string, schemaJson: string): Promise<number> {
    // Loaded only where schemas are registered: it brings a hundred modules, and workers start without them.
    const { SchemaRegistry: RegistryClient, SchemaType } = await import('@kafkajs/confluent-schema-registry');
    this.#client ??= new RegistryClient({ host: this.#baseUrl, middlewares: [this.#transport] });
    const schema = { type: SchemaType.AVRO, schema: schemaJson } as const;
    const { id } = await this.#client.register(schema, { subject, compatibility: COMPATIBILITY });
    return id;
  }

  /** Replaces the client's HTTP: it is the outermost of the middlewares, and does not call the next. */
  readonly #transport: Middleware = ({ resourceMethod }) => ({
    response: async (_next, _renew, request) => {
      const method = request.method().toUpperCase();
      const body = request.body() as string | undefined;
      const answer = await this.#request(method, request.path(), body, resourceMethod);
      const response: Pick<ClientResponse, 'data'> = { data: <T>() => answer as T };
      return response as ClientResponse;
    },
  });

  /**
   * @param asks the client's name for the request, if it is one of {@link PROMISED}
   * @throws {Refusal}
   * @throws {DatabridgeError} DB_REGISTRY_UNAVAILABLE for everything that is not an answer to the request
   */
  async #request(method: string, path: string, body?: string, asks = ''): Promise<Answer> {
    let status: number;
    let text: string;
    try {
      const authorization = this.#authorization?.();
      const response = await fetch(this.#baseUrl + path, {
        method,
        headers: {
          ...{ accept: CONTENT_TYPE, 'content-type': CONTENT_TYPE },
          ...(authorization !== undefined && { authorization }),
        },
        ...(body !== undefined && { body }),
        // Another host must not get the credentials.
        redirect: 'error',
        dispatcher: this.#dispatcher,
        signal: AbortSignal.timeout(this.#timeoutMs),
      });
      status = response.status;
      text = withoutSecret(await textOf(response), authorization);
    } catch (error) {
      throw unavailable(causeOf(error), error);
    }
    const answer = parseAnswer(text);
    // Only a registry answers with JSON, and with a code in errors: any other answer comes from a proxy, or a wrong
    // address.
    const isFromRegistry = answer !== undefined && (status < 400 || typeof answer['error_code'] === 'number');
    if (status >= 500 || UNAVAILABLE_STATUS.has(status) || !isFromRegistry) {
      throw unavailable(`${method} ${path} answered ${status}: ${text.slice(0, 200)}`);
    }
    if (status >= 400) {
      throw new Refusal(status, typeof answer['message'] === 'string' ? answer['message'] : text.slice(0, 200));
    }
    const [field, type] = PROMISED[asks] ?? [];
    if (field !== undefined && typeof answer[field] !== type) {
      throw unavailable(`the answer to ${method} ${path} contains no ${field}`);
    }
    return answer;
  }
}

/** Runs a limited number of calls at a time; the others wait in the order of their arrival. */
class Turns {
  readonly #waiting: (() => void)[] = [];
  #free: number;

  constructor(count: number) {
    this.#free = count;
  }

  async take<T>(run: () => Promise<T>): Promise<T> {
    if (this.#free > 0) this.#free--;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    try {
      return await run();
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#free++;
      else next();
    }
  }
}

/** @throws {DatabridgeError} DB_CONFIG_INVALID */
function secured(tls: NonNullable<SchemaRegistrySettings['tls']>): SecureContextOptions {
  try {
    createSecureContext(tls);
    return tls;
  } catch (error) {
    throw new DatabridgeError('DB_CONFIG_INVALID', `The registry's TLS files can't be used: ${messageOf(error)}`);
  }
}

async function textOf(response: { readonly body: AsyncIterable<Uint8Array> | null }): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    chunks.push(chunk);
    bytes += chunk.length;
    if (bytes > MAX_ANSWER_BYTES) throw new Error(`the answer has more than ${MAX_ANSWER_BYTES} bytes`);
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** A proxy may show the request that it refuses. */
function withoutSecret(text: string, authorization: string | undefined): string {
  const secret = authorization?.slice(authorization.indexOf(' ') + 1);
  return secret ? text.replaceAll(secret, '[secret]') : text;
}

function parseAnswer(text: string): Answer | undefined {
  try {
    const answer: unknown = JSON.parse(text);
    return typeof answer === 'object' && answer !== null ? (answer as Answer) : undefined;
  } catch {
    return undefined;
  }
}

/** fetch hides the reason ("connect ECONNREFUSED …") behind "fetch failed". */
function causeOf(error: unknown): string {
  const { cause } = error as { cause?: { message?: unknown } };
  return typeof cause?.message === 'string' ? cause.message : messageOf(error);
}

function unavailable(why: string, cause?: unknown): DatabridgeError {
  return new DatabridgeError('DB_REGISTRY_UNAVAILABLE', `The schema registry does not answer: ${why}`, { cause });
}

/**
 * Services that start together register at the same time, and a registry may answer all but one that the schema "exists
 * already": at the second request, it finds it. If there is another reason, it refuses again.
 * @throws {DatabridgeError} DB_REGISTRY_UNAVAILABLE, DB_REGISTRY_REFUSED
 */
async function onceMore<T>(ask: () => Promise<T>, what: string): Promise<T> {
  const isConflict = (error: unknown) => error instanceof Refusal && error.status === 409;
  try {
    return await ask().catch((error) => (isConflict(error) ? ask() : Promise.reject(error)));
  } catch (error) {
    throw asRefused(what, error);
  }
}

/** Refused by the registry, or by its client before it sends the request. */
function asRefused(what: string, error: unknown): DatabridgeError {
  if (error instanceof DatabridgeError) return error;
  const by = error instanceof Refusal ? `The schema registry refused ${what} (${error.status})` : `Can't give ${what}`;
  return new DatabridgeError('DB_REGISTRY_REFUSED', `${by}: ${messageOf(error)}`, { cause: error });
}
