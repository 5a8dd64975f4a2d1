import { createRequire } from 'node:module';
import type { Socket } from 'node:net';
import { Ending } from '../../ending.ts';
import { systemClock } from '../../time/clock.ts';
import { KafkaPortError, toPortError } from '../errors.ts';
// This import installs the codecs and the patches of the record decoder.
import './client.ts';
import type { KafkaSettings } from './client.ts';
import type { WireRequest } from './wire-requests.ts';

/** The address of a broker. */
export interface BrokerAddress {
  readonly host: string;
  readonly port: number;
}

/**
 * The parts of kafkajs's `Connection` that are used: framing, TLS and SASL, as for every other client of this process.
 */
interface ClientConnection {
  socket?: Socket;
  isConnected(): boolean;
  connect(): Promise<unknown>;
  authenticate(): Promise<void>;
  setVersions(versions: object): void;
  setSupportAuthenticationProtocol(isSupported: boolean): void;
  send<Answer>(request: WireRequest<Answer> & { requestTimeout?: number; logResponseError?: boolean }): Promise<Answer>;
  rejectRequests(error: Error): void;
  disconnect(): Promise<unknown>;
}

const CONNECT_WITHIN_MS = 5_000;
const ANSWER_WITHIN_MS = 15_000;
/** The versions of SaslHandshake and SaslAuthenticate that every broker since Kafka 2.0 answers. */
const SASL_VERSIONS = { 17: { minVersion: 0, maxVersion: 1 }, 36: { minVersion: 0, maxVersion: 1 } };

const require = createRequire(import.meta.url);

/**
 * One connection to one broker. Requests are pipelined: the broker answers them in order. A connection is never used
 * again after a failure, since kafkajs keeps half an answer across a reconnect: make a new one.
 */
export class BrokerConnection {
  readonly #client: ClientConnection;
  readonly #address: BrokerAddress;
  #connecting: Promise<void> | undefined;
  #wasConnected = false;
  #failure: KafkaPortError | undefined;
  readonly #ending = new Ending();
  #isCorked = false;
  #inFlight = 0;
  /** The broker asks for no requests before this time (monotonic ms). */
  #throttledUntilMs = 0;

  constructor(settings: KafkaSettings, address: BrokerAddress) {
    this.#address = address;
    this.#client = createClient(settings, address);
  }

  /** False after it failed or was closed. Brokers also close connections that were idle for long. */
  get isUsable(): boolean {
    return this.#failure === undefined && (!this.#wasConnected || this.#client.isConnected());
  }

  get inFlight(): number {
    return this.#inFlight;
  }

  /** The time for which the broker asks us to send no requests, in ms. */
  get throttledForMs(): number {
    return Math.max(0, this.#throttledUntilMs - systemClock.monotonicMs());
  }

  /**
   * @param answerWithinMs at least 15 s, which is the default
   * @throws {KafkaPortError} when no answer came; the connection is not usable afterwards
   */
  async send<Answer>(wire: WireRequest<Answer>, answerWithinMs: number = ANSWER_WITHIN_MS): Promise<Answer> {
    if (this.#failure) throw this.#failure;
    this.#inFlight++;
    try {
      this.#connecting ??= this.#connect();
      await this.#ending.orEnded(this.#connecting);
      if (this.#failure) throw this.#failure;
      this.#writeTogether();
      const answer = await this.#client.send({ ...wire, requestTimeout: answerWithinMs, logResponseError: false });
      this.#noteThrottle(answer);
      return answer;
    } catch (thrown) {
      const at = `${this.#address.host}:${this.#address.port}`;
      const error = toPortError(thrown, `${wire.request.apiName} to ${at}`);
      this.#fail(error);
      throw error;
    } finally {
      this.#inFlight--;
    }
  }

  /** Closes at once: requests in flight fail. */
  close(): void {
    this.#fail(new KafkaPortError('DB_KAFKA_CLOSED', 'the connection was closed'));
  }

  /** One system call for all requests of a turn of the event loop: a worker that starts sends thousands of them. */
  #writeTogether(): void {
    const { socket } = this.#client;
    if (socket === undefined || this.#isCorked) return;
    this.#isCorked = true;
    socket.cork();
    setImmediate(() => {
      this.#isCorked = false;
      socket.uncork();
    });
  }

  async #connect(): Promise<void> {
    await this.#client.connect();
    await this.#client.authenticate();
    this.#wasConnected = true;
  }

  /**
   * Kafka delays answers to a client above its quota, and states by how much: further requests would only fill its
   * queue.
   */
  #noteThrottle(answer: unknown): void {
    const { throttleTime = 0, clientSideThrottleTime = 0 } = (answer ?? {}) as Record<string, number | undefined>;
    const throttleMs = Math.max(throttleTime, clientSideThrottleTime);
    if (throttleMs > 0) this.#throttledUntilMs = systemClock.monotonicMs() + throttleMs;
  }

  #fail(error: KafkaPortError): void {
    if (this.#failure) return;
    this.#failure = error;
    this.#ending.end();
    this.#client.rejectRequests(error);
    this.#client.socket?.destroy();
    this.#client.disconnect().catch(() => undefined);
  }
}

function createClient(settings: KafkaSettings, { host, port }: BrokerAddress): ClientConnection {
  const Connection = require('kafkajs/src/network/connection') as new (options: object) => ClientConnection;
  const createSocketFactory = require('kafkajs/src/network/socketFactory') as () => unknown;
  const connection = new Connection({
    host,
    port,
    clientId: settings.clientId,
    ssl: settings.ssl === undefined || settings.ssl === false ? null : settings.ssl,
    sasl: settings.sasl === undefined ? null : { ...settings.sasl },
    logger: quietLogger(settings),
    socketFactory: createSocketFactory(),
    connectionTimeout: CONNECT_WITHIN_MS,
    requestTimeout: ANSWER_WITHIN_MS,
  });
  connection.setVersions(SASL_VERSIONS);
  connection.setSupportAuthenticationProtocol(true);
  return connection;
}

/** The sender of a request handles and logs its failure: kafkajs's own lines are for debugging only. */
function quietLogger({ log }: KafkaSettings): object {
  const line = (message: string, fields: object) => log.debug({ kafka: { role: 'lane reader', ...fields } }, message);
  const logger = { namespace: () => logger, debug: () => undefined, info: line, warn: line, error: line };
  return logger;
}
