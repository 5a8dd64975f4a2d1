/**
 * The schema registry, over its Confluent API. What matters most here is to tell "the registry can't be asked" from
 * "the registry does not know": the first is our own fault and waits, only the second may speak against a record.
 */
import { DatabridgeError, messageOf } from './errors.ts';

export interface SchemaRegistrySettings {
  /** The base of the Confluent API, such as `http://registry:8081`. */
  readonly url: string;
  /** For one request, answer included. */
  readonly timeoutMs?: number;
}

export type WriterSchema =
  | { readonly kind: 'schema'; readonly schema: string }
  /** The registry has answered that there is no such schema. One that has just started may learn of it yet. */
  | { readonly kind: 'unknown-id' }
  /** Nothing is known about the id: nobody answered, or somebody who can't look. */
  | { readonly kind: 'unreachable'; readonly error: DatabridgeError };

/** Every later schema must be readable by, and able to read, every earlier one: producers upgrade when they like. */
export const COMPATIBILITY = 'FULL_TRANSITIVE';

const CONTENT_TYPE = 'application/vnd.schemaregistry.v1+json';
const DEFAULT_TIMEOUT_MS = 5_000;

/** A 4xx that speaks about us or about the moment, not about what was asked for. */
const UNAVAILABLE_STATUS = new Set([401, 403, 407, 408, 425, 429]);

interface Answer {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
}

export class SchemaRegistry {
  readonly #baseUrl: string;
  readonly #timeoutMs: number;
  /** Kept for good: an id never changes its meaning, and there are few. */
  readonly #schemas = new Map<number, WriterSchema>();
  readonly #asking = new Map<number, Promise<WriterSchema>>();

  constructor(settings: SchemaRegistrySettings) {
    this.#baseUrl = settings.url.replace(/\/+$/, '');
    this.#timeoutMs = settings.timeoutMs ?? DEFAULT_TIMEOUT_MS;
  }

  /** Never rejects. Known schemas are remembered; who asks for one that is being asked for gets the same answer. */
  writerSchema(id: number): Promise<WriterSchema> {
    const known = this.#schemas.get(id);
    if (known) return Promise.resolve(known);
    const asked = this.#asking.get(id);
    if (asked) return asked;
    const answer = this.#ask(id).finally(() => this.#asking.delete(id));
    this.#asking.set(id, answer);
    return answer;
  }

  async #ask(id: number): Promise<WriterSchema> {
    try {
      const { status, body } = await this.#request('GET', `/schemas/ids/${id}`);
      if (status >= 400) return { kind: 'unknown-id' };
      if (typeof body['schema'] !== 'string') throw unavailable(`the answer for schema ${id} holds no schema`);
      const found = { kind: 'schema', schema: body['schema'] } as const;
      this.#schemas.set(id, found);
      return found;
    } catch (error) {
      if (error instanceof DatabridgeError) return { kind: 'unreachable', error };
      throw error;
    }
  }

  /**
   * Sets how a subject's schemas must agree. Goes before its first schema: registries begin with rules of their own,
   * Apicurio with none.
   * @throws {DatabridgeError} DB_REGISTRY_UNAVAILABLE, DB_REGISTRY_REFUSED
   */
  async ensureCompatibility(subject: string, compatibility: string = COMPATIBILITY): Promise<void> {
    const { status, body } = await this.#request('PUT', `/config/${encodeURIComponent(subject)}`, { compatibility });
    if (status >= 400) throw refused(`compatibility ${compatibility} for ${subject}`, status, body);
  }

  /**
   * Registering what is registered already changes nothing and gives the same id.
   * @throws {DatabridgeError} DB_REGISTRY_UNAVAILABLE; DB_REGISTRY_REFUSED if the schema does not fit earlier ones
   */
  async register(subject: string, schemaJson: string): Promise<number> {
    const path = `/subjects/${encodeURIComponent(subject)}/versions`;
    const { status, body } = await this.#request('POST', path, { schemaType: 'AVRO', schema: schemaJson });
    if (status >= 400) throw refused(`the schema for ${subject}`, status, body);
    if (typeof body['id'] !== 'number') throw unavailable(`the answer to registering ${subject} holds no id`);
    return body['id'];
  }

  /** @throws {DatabridgeError} DB_REGISTRY_UNAVAILABLE for everything that is not an answer to what was asked */
  async #request(method: string, path: string, body?: object): Promise<Answer> {
    let status: number;
    let text: string;
    try {
      const response = await fetch(this.#baseUrl + path, {
        method,
        headers: { accept: CONTENT_TYPE, 'content-type': CONTENT_TYPE },
        ...(body && { body: JSON.stringify(body) }),
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
    return { status, body: answer };
  }
}

function parseAnswer(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const answer: unknown = JSON.parse(text);
    return typeof answer === 'object' && answer !== null ? (answer as Record<string, unknown>) : undefined;
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

function refused(what: string, status: number, body: Answer['body']): DatabridgeError {
  const why = typeof body['message'] === 'string' ? body['message'] : JSON.stringify(body);
  return new DatabridgeError('DB_REGISTRY_REFUSED', `The schema registry refused ${what} (${status}): ${why}`);
}
