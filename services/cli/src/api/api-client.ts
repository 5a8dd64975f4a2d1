/** A client of the REST API for commands. */
import { messageOf } from '@databridge/kernel/errors';
import { ApiError, UnreachableError } from './api-error.ts';
import { type ServerSentEvent, serverSentEvents } from './server-sent-events.ts';

export interface Connection {
  /** The address without `/v1`. */
  readonly url: string;
  readonly token: string;
}

export type Query = Readonly<Record<string, string | number | boolean | undefined>>;

export interface Asked {
  readonly body?: unknown;
  readonly query?: Query;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

export interface Answer<T> {
  readonly status: number;
  readonly etag: string | undefined;
  readonly body: T;
}

/** The number of items that are requested at once. */
const PAGE = 1_000;

export class ApiClient {
  readonly url: string;
  readonly #token: string;

  constructor({ url, token }: Connection) {
    this.url = url.replace(/\/+$/, '');
    this.#token = token;
  }

  /**
   * @param path below `/v1`
   * @throws {ApiError} what the API answers other than 2xx; {UnreachableError}
   */
  async call<T>(method: string, path: string, asked: Asked = {}): Promise<Answer<T>> {
    const response = await this.#fetch(method, path, asked);
    const text = await response.text().catch((error: unknown) => this.#brokeOff(error));
    if (!response.ok) throw ApiError.of(response.status, text);
    const body = text === '' ? undefined : parseJson(text, response.status);
    return { status: response.status, etag: response.headers.get('etag') ?? undefined, body: body as T };
  }

  /** @returns only the answer's body */
  async get<T>(path: string, query?: Query): Promise<T> {
    return (await this.call<T>('GET', path, query === undefined ? {} : { query })).body;
  }

  async post<T>(path: string, body?: unknown): Promise<T> {
    return (await this.call<T>('POST', path, body === undefined ? {} : { body })).body;
  }

  /** @returns undefined if it does not exist */
  async find<T>(path: string): Promise<Answer<T> | undefined> {
    try {
      return await this.call<T>('GET', path);
    } catch (error) {
      if (error instanceof ApiError && error.status === 404) return undefined;
      throw error;
    }
  }

  /** Every item of a list, page by page. @param most the limit of items */
  async list<T>(path: string, query: Query = {}, most = Number.POSITIVE_INFINITY): Promise<T[]> {
    const items: T[] = [];
    let cursor: string | undefined;
    do {
      const limit = Math.min(PAGE, most - items.length);
      const page = await this.get<{ items: T[]; next?: string }>(path, { ...query, limit, cursor });
      items.push(...page.items);
      cursor = page.next;
    } while (cursor !== undefined && items.length < most);
    return items;
  }

  /** Until the stream ends, which throws {UnreachableError}, or the signal does. */
  async *events(path: string, signal: AbortSignal, onOpen: () => void): AsyncGenerator<ServerSentEvent> {
    const response = await this.#fetch('GET', path, { signal, headers: { accept: 'text/event-stream' } });
    if (!response.ok) throw ApiError.of(response.status, await response.text());
    onOpen();
    try {
      if (response.body !== null) yield* serverSentEvents(response.body);
    } catch (error) {
      if (!signal.aborted) this.#brokeOff(error);
    }
    if (!signal.aborted) throw new UnreachableError(`${this.url} ended the stream`);
  }

  async #fetch(method: string, path: string, { body, query = {}, headers, signal }: Asked): Promise<Response> {
    const url = new URL(`${this.url}/v1${path}`);
    for (const [name, value] of Object.entries(query)) {
      if (value !== undefined) url.searchParams.set(name, String(value));
    }
    try {
      return await fetch(url, {
        method,
        headers: {
          authorization: `Bearer ${this.#token}`,
          ...(body !== undefined && { 'content-type': 'application/json' }),
          ...headers,
        },
        ...(body !== undefined && { body: JSON.stringify(body) }),
        ...(signal !== undefined && { signal }),
        // A token is sent only to the address that it was given for.
        redirect: 'error',
      });
    } catch (error) {
      const cause = (error as { cause?: unknown }).cause ?? error;
      const why = (cause as { code?: string }).code ?? messageOf(cause);
      throw new UnreachableError(`${this.url} can't be reached (${why})`, { cause: error });
    }
  }

  #brokeOff(error: unknown): never {
    throw new UnreachableError(`${this.url} broke off its answer (${messageOf(error)})`, { cause: error });
  }
}

function parseJson(text: string, status: number): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // A proxy's page, for example: the address is not that of the API.
    throw ApiError.of(status, text);
  }
}
