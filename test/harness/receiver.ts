import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

export interface ReceivedRequest {
  readonly method: string;
  /** Path and query as sent. */
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  /** The `webhook-id` header: the event's id. Empty if there is none. */
  readonly id: string;
  /** When its headers came, in ms since the epoch. */
  readonly receivedAtMs: number;
  /** What it was answered; undefined while it hangs or waits. */
  status: number | undefined;
}

/** What to do with a request. `hang` never answers; `drop` cuts the connection. */
export type Answer =
  | {
      status?: number;
      headers?: Record<string, string>;
      body?: string;
      delayMs?: number;
      /** Answered once this has resolved. */
      after?: Promise<unknown>;
    }
  | 'hang'
  | 'drop';

/** @param nth how many times this id has come, this time included: 1 is the first attempt */
export type Script = (request: ReceivedRequest, nth: number) => Answer;

/** More than a minute: the longest time between two probes of a connection that is held. */
const DEFAULT_WAIT_MS = 90_000;
const accepts: Script = () => ({ status: 200 });

/** A customer's API: records what comes and answers as told. Closed with the test file that started it. */
export class Receiver {
  readonly requests: ReceivedRequest[] = [];
  readonly #timesById = new Map<string, number>();
  readonly #acceptedIds = new Set<string>();
  readonly #waiting = new Set<() => void>();
  readonly #server: Server;
  #script: Script;
  #inFlight = 0;
  #peakInFlight = 0;

  private constructor(script: Script) {
    this.#script = script;
    this.#server = createServer((request, response) => {
      const receivedAtMs = Date.now();
      this.#inFlight += 1;
      this.#peakInFlight = Math.max(this.#peakInFlight, this.#inFlight);
      response.once('close', () => {
        this.#inFlight -= 1;
      });
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const { method = '', url = '', headers } = request;
        const id = String(headers['webhook-id'] ?? '');
        const body = Buffer.concat(chunks).toString('utf8');
        const received: ReceivedRequest = { method, url, headers, body, id, receivedAtMs, status: undefined };
        const nth = (this.#timesById.get(id) ?? 0) + 1;
        this.#timesById.set(id, nth);
        this.requests.push(received);
        const answer = this.#script(received, nth);
        if (answer === 'drop') request.socket.destroy();
        else if (answer !== 'hang') void this.#answer(received, response, answer);
        this.#changed();
      });
    });
    // Who calls closes idle connections first: otherwise one that stood still may send on one that was just closed.
    this.#server.keepAliveTimeout = 0;
  }

  /** Listens on a free port of 127.0.0.1. */
  static async start(script: Script = accepts): Promise<Receiver> {
    const receiver = new Receiver(script);
    receiver.#server.listen(0, '127.0.0.1');
    await once(receiver.#server, 'listening');
    started.add(receiver);
    return receiver;
  }

  async #answer(
    received: ReceivedRequest,
    response: import('node:http').ServerResponse,
    { status = 200, headers = {}, body = '', delayMs = 0, after }: Exclude<Answer, string>,
  ): Promise<void> {
    if (delayMs > 0) await delay(delayMs);
    if (after) await after;
    received.status = status;
    if (status >= 200 && status < 300) this.#acceptedIds.add(received.id);
    response.writeHead(status, headers).end(body);
    this.#changed();
  }

  #changed(): void {
    for (const check of this.#waiting) check();
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/events`;
  }

  /** From the next request on. */
  set script(script: Script) {
    this.#script = script;
  }

  /** How many requests were open at once, at most. */
  get peakInFlight(): number {
    return this.#peakInFlight;
  }

  /** How many different events were answered with 2xx. */
  get accepted(): number {
    return this.#acceptedIds.size;
  }

  /** How many requests came for each event id. */
  get timesById(): ReadonlyMap<string, number> {
    return this.#timesById;
  }

  requestsFor(id: string): ReceivedRequest[] {
    return this.requests.filter((request) => request.id === id);
  }

  /** Requests beyond the first of their event. */
  get repeats(): number {
    return this.requests.length - this.#timesById.size;
  }

  /**
   * Resolves as soon as `holds` does: asked now, and after every request and every answer.
   * @throws Error after `timeoutMs`, with what came until then
   */
  async waitFor(isMet: (receiver: this) => boolean, timeoutMs = DEFAULT_WAIT_MS): Promise<void> {
    if (isMet(this)) return;
    await new Promise<void>((resolve, reject) => {
      const done = () => {
        this.#waiting.delete(check);
        clearTimeout(timer);
      };
      const check = () => {
        if (!isMet(this)) return;
        done();
        resolve();
      };
      const timer = setTimeout(() => {
        done();
        reject(new Error(`Not within ${timeoutMs} ms: ${this.#summary()}`));
      }, timeoutMs);
      this.#waiting.add(check);
    });
  }

  #summary(): string {
    const statuses: Record<string, number> = {};
    for (const { status } of this.requests) {
      const key = String(status ?? 'unanswered');
      statuses[key] = (statuses[key] ?? 0) + 1;
    }
    return `${this.requests.length} requests for ${this.#timesById.size} events; by status ${JSON.stringify(statuses)}`;
  }

  /** Cuts open connections: the endpoint is down. */
  async stop(): Promise<void> {
    started.delete(this);
    if (!this.#server.listening) return;
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.#server.closeAllConnections();
    await closed;
  }
}

const started = new Set<Receiver>();

afterAll(async () => {
  await Promise.all([...started].map((receiver) => receiver.stop()));
});
