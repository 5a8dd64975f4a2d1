/**
 * The schema registry, by its own client. What matters most here is to tell "the registry can't be asked" from "the
 * registry does not know": the first is our own fault and waits, only the second may speak against a record. The client
 * mixes them up, so it hands its requests to us: see docs/decisions/schema-registry-client.md.
 */
import { SchemaRegistry as Client, COMPATIBILITY as LEVELS, SchemaType } from '@kafkajs/confluent-schema-registry';
import { DatabridgeError, messageOf } from '../errors.ts';

export interface SchemaRegistrySettings {
  /** The base of the Confluent API, such as `http://registry:8081`. */
  readonly url: string;
  /** For one request, answer included. */
  readonly timeoutMs?: number;
}

export type WriterSchema =
  /** Avro, in JSON; what it refers to in other subjects is part of it. */
  | { readonly kind: 'schema'; readonly schema: string }
  /** The registry has it, but it is not Avro, or not sound. */
  | { readonly kind: 'unusable'; readonly detail: string }
  /** The registry has answered that there is no such schema. One that has just started may learn of it yet. */
  | { readonly kind: 'unknown-id' }
  /** Nothing is known about the id: nobody answered, or somebody who can't look. */
  | { readonly kind: 'unreachable'; readonly error: DatabridgeError };

/** Every later schema must be readable by, and able to read, every earlier one: producers upgrade when they like. */
export const COMPATIBILITY = LEVELS.FULL_TRANSITIVE;

const CONTENT_TYPE = 'application/vnd.schemaregistry.v1+json';
const DEFAULT_TIMEOUT_MS = 5_000;

/** A 4xx that speaks about us or about the moment, not about what was asked for. */
const UNAVAILABLE_STATUS = new Set([401, 403, 407, 408, 425, 429]);

type Answer = Readonly<Record<string, unknown>>;
type Middleware = NonNullable<ConstructorParameters<typeof Client>[0]['middlewares']>[number];
type ClientResponse = Awaited<ReturnType<NonNullable<ReturnType<Middleware>['response']>>>;

/** What an answer must hold, by the client's name for the request. The client takes it for granted. */
const PROMISED: Readonly<Record<string, readonly [field: string, type: 'string' | 'number']>> = {
  find: ['schema', 'string'],
  version: ['schema', 'string'],
  config: ['compatibilityLevel', 'string'],
  register: ['id', 'number'],
};

/** The registry has said no. */
class Refusal extends Error {
  /** The client looks here: by a 404 it knows a subject without a rule of its own. */
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

export class SchemaRegistry {
  readonly #baseUrl: string;
  readonly #timeoutMs: number;
  readonly #client: Client;
  /** Good ones are kept: an id never changes its meaning, and there are few. */
  readonly #writerSchemas = new Map<number, Promise<WriterSchema>>();

  constructor(settings: SchemaRegistrySettings) {
    this.#baseUrl = settings.url.replace(/\/+$/, '');
    this.#timeoutMs = settings.timeoutMs ?? DEFAULT_TIMEOUT_MS;
    this.#client = new Client({ host: this.#baseUrl, middlewares: [this.#transport] });
  }

  /** Never rejects. Known schemas are remembered; who asks for one that is being asked for gets the same answer. */
  writerSchema(id: number): Promise<WriterSchema> {
    const known = this.#writerSchemas.get(id);
    if (known) return known;
    const answer = this.#ask(id).then((found) => {
      if (found.kind !== 'schema') this.#writerSchemas.delete(id);
      return found;
    });
    this.#writerSchemas.set(id, answer);
    return answer;
  }

  async #ask(id: number): Promise<WriterSchema> {
    try {
      const type = await this.#client.getSchema(id);
      if (!isAvro(type)) return { kind: 'unusable', detail: `schema ${id} is not Avro` };
      // Bare: names and types are all that a reader takes from a writer's schema.
      return { kind: 'schema', schema: JSON.stringify(type.schema()) };
    } catch (error) {
      if (error instanceof DatabridgeError) return { kind: 'unreachable', error };
      if (error instanceof Refusal) return { kind: 'unknown-id' };
      return { kind: 'unusable', detail: `schema ${id} can't be used: ${messageOf(error)}` };
    }
  }

  /**
   * Sets how a subject's schemas must agree. Goes before its first schema: registries begin with rules of their own,
   * Apicurio with none.
   * @throws {DatabridgeError} DB_REGISTRY_UNAVAILABLE, DB_REGISTRY_REFUSED
   */
  async ensureCompatibility(subject: string, compatibility: string = COMPATIBILITY): Promise<void> {
    // The client does so too, but only after the first schema: others could get in between.
    const put = () => this.#request('PUT', `/config/${encodeURIComponent(subject)}`, JSON.stringify({ compatibility }));
    await onceMore(put, `compatibility ${compatibility} for ${subject}`);
  }

  /**
   * Registering what is registered already changes nothing and gives the same id.
   * @throws {DatabridgeError} DB_REGISTRY_UNAVAILABLE; DB_REGISTRY_REFUSED if the schema does not fit earlier ones, or
   * is no sound Avro with a name, or the subject goes by another rule than ours
   */
  register(subject: string, schemaJson: string): Promise<number> {
    return onceMore(() => this.#register(subject, schemaJson), `the schema for ${subject}`);
  }

  async #register(subject: string, schemaJson: string): Promise<number> {
    const schema = { type: SchemaType.AVRO, schema: schemaJson } as const;
    const { id } = await this.#client.register(schema, { subject, compatibility: COMPATIBILITY });
    return id;
  }

  /** Stands in for the client's HTTP: the outermost of its middlewares, and does not call the next. */
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
   * @throws {DatabridgeError} DB_REGISTRY_UNAVAILABLE for everything that is not an answer to what was asked
   */
  async #request(method: string, path: string, body?: string, asks = ''): Promise<Answer> {
    let status: number;
    let text: string;
    try {
      const response = await fetch(this.#baseUrl + path, {
        method,
        headers: { accept: CONTENT_TYPE, 'content-type': CONTENT_TYPE },
        ...(body !== undefined && { body }),
        signal: AbortSignal.timeout(this.#timeoutMs),
      });
      status = response.status;
      text = await response.text();
    } catch (error) {
      throw unavailable(causeOf(error), error);
    }
    const answer = parseAnswer(text);
    // Only a registry answers with JSON, and errors with a code: anything else is a proxy, or a wrong address.
    const isFromRegistry = answer !== undefined && (status < 400 || typeof answer['error_code'] === 'number');
    if (status >= 500 || UNAVAILABLE_STATUS.has(status) || !isFromRegistry) {
      throw unavailable(`${method} ${path} answered ${status}: ${text.slice(0, 200)}`);
    }
    if (status >= 400) {
      throw new Refusal(status, typeof answer['message'] === 'string' ? answer['message'] : text.slice(0, 200));
    }
    const [field, type] = PROMISED[asks] ?? [];
    if (field !== undefined && typeof answer[field] !== type) {
      throw unavailable(`the answer to ${method} ${path} holds no ${field}`);
    }
    return answer;
  }
}

/** The client answers Avro with avsc's types, which know their schema, and JSON and Protobuf with classes of its own. */
function isAvro(type: object): type is { schema(): unknown } {
  return 'schema' in type && typeof type.schema === 'function';
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
  return new DatabridgeError('DB_REGISTRY_UNAVAILABLE', `The schema registry can't be asked: ${why}`, { cause });
}

/**
 * Services that start together ask together, and a registry may tell all but one that "it exists already": asked once
 * more, it finds it. What it has other reasons to refuse, it refuses again.
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

/** Refused by the registry, or by its client before it asks. */
function asRefused(what: string, error: unknown): DatabridgeError {
  if (error instanceof DatabridgeError) return error;
  const by = error instanceof Refusal ? `The schema registry refused ${what} (${error.status})` : `Can't give ${what}`;
  return new DatabridgeError('DB_REGISTRY_REFUSED', `${by}: ${messageOf(error)}`, { cause: error });
}
