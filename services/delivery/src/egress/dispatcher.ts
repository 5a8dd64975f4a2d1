import type { Socket } from 'node:net';
import { openTlsIdentity, type TlsIdentity, type TlsMistake } from '@databridge/kernel/egress/tls-identity';
import { DatabridgeError } from '@databridge/kernel/errors';
import { Client, type Dispatcher, Pool, ProxyAgent } from 'undici';
import { ReadingTurn } from '../shares/reading-turn.ts';
import { Turns } from '../shares/turns.ts';
import { agingPool } from './aging-pool.ts';
import { readingAnswers } from './answer-heads.ts';
import { type ConnectionBudget, Line } from './connection-budget.ts';
import type { ConnectOptions, Connector, EgressGuard } from './egress-guard.ts';
import { EgressPool } from './egress-pool.ts';
import { dialedProxy, tunnelledByProxy } from './proxy-fault.ts';
import { ReadAllowance } from './read-allowance.ts';

export type { TlsIdentity } from '@databridge/kernel/egress/tls-identity';

/** A destination that accepts no connection within this time is down. */
export const CONNECT_TIMEOUT_MS = 5_000;
const IDLE_CONNECTION_MS = 30_000;
/** The limit of the headers of one answer, in bytes. It is Node's default for servers. */
const MAX_HEADER_BYTES = 16_384;

export interface PoolOptions {
  /** The limit of connections to this origin at the same time. The default is one per request in flight. */
  readonly connections?: number;
  /** The time limit of one dial: name resolution, TCP, TLS. */
  readonly connectTimeoutMs: number;
  readonly tls?: TlsIdentity;
  /** True if HTTP/2 is used where the server offers it, which is the default. */
  readonly allowH2?: boolean;
}

export interface EgressSettings {
  readonly guard: EgressGuard;
  readonly budget: ConnectionBudget;
  /** If omitted, HTTP/2 is used where the server offers it and the pool does not forbid it. */
  readonly allowHttp2?: boolean;
  /** If set, every request leaves through this HTTP proxy, https by a CONNECT tunnel. */
  readonly proxy?: URL;
  /** A connection older than this takes no new request. If omitted, connections have no age limit. */
  readonly maxAgeMs?: number;
  /** The customer whose connections these are: {@link Egress.forCustomer}. */
  readonly customer?: string;
  /** Divides the time for reading answers between the customers. If omitted, these connections have it alone. */
  readonly turns?: Turns;
}

/**
 * The one place where connections to the outside are opened: to destinations, token endpoints and AWS. Each customer has
 * pools of its own, so that none uses another's connections.
 */
export class Egress {
  readonly #settings: EgressSettings;
  readonly #reading: ReadingTurn;

  constructor(settings: EgressSettings) {
    this.#settings = settings;
    this.#reading = new ReadingTurn(settings.turns ?? new Turns());
  }

  /**
   * The same egress for one customer: its connections count as its own, and its answers are read in turns of its own.
   */
  forCustomer(customer: string): Egress {
    return new Egress({ ...this.#settings, customer });
  }

  /** @param url only its origin counts */
  openPool(url: URL, options: PoolOptions): EgressPool {
    const line = new Line();
    const allowance = new ReadAllowance();
    return new EgressPool(
      (allowH2) => this.#openConnections(url, { ...options, allowH2 }, line, allowance),
      this.#settings.allowHttp2 !== false && options.allowH2 !== false,
      line,
      allowance,
    );
  }

  /**
   * Opens a TCP connection to a server that speaks another protocol than HTTP. Without encryption, the rules for plain
   * http apply.
   * @throws errors that `troubleOf` reads
   */
  openSocket(
    { host, port, encryption }: { readonly host: string; readonly port: number; readonly encryption: string },
    timeoutMs: number,
  ): Promise<Socket> {
    const { guard, budget, proxy, customer } = this.#settings;
    if (proxy !== undefined) {
      const message = 'this installation sends through an HTTP proxy alone, which passes nothing but HTTP';
      return Promise.reject(new DatabridgeError('DB_EGRESS_REFUSED', message));
    }
    const connector = guard.connectSocket({ timeout: timeoutMs, isEncrypted: encryption !== 'none' });
    const connect = budget.limit(connector, () => undefined, new Line(), customer);
    const { promise, resolve, reject } = Promise.withResolvers<Socket>();
    // For this scheme the connector does no TLS itself.
    connect({ hostname: host, host, protocol: 'http:', port: String(port) }, (error, socket) => {
      if (error !== null) reject(error);
      else resolve(socket);
    });
    return promise;
  }

  #openConnections(
    url: URL,
    { connections, connectTimeoutMs, tls, allowH2 = true }: PoolOptions,
    line: Line,
    allowance: ReadAllowance,
  ): Dispatcher {
    const { proxy, guard, maxAgeMs } = this.#settings;
    // Built once per pool, not per connection; options that are invalid become an answer, not an exception.
    const identity = openTlsIdentity(tls ?? {});
    const secureContext = 'context' in identity ? identity.context : undefined;
    const connect: ConnectOptions = {
      ...(secureContext && { secureContext }),
      ...{ timeout: connectTimeoutMs, allowH2, preferH2: true },
    };
    const limits = {
      keepAliveTimeout: IDLE_CONNECTION_MS,
      maxHeaderSize: MAX_HEADER_BYTES,
      // undici restarts its time-outs with every byte: the exchange has its own.
      headersTimeout: 0,
      bodyTimeout: 0,
      allowH2,
    };
    const all = { ...limits, ...(connections !== undefined && { connections }) };
    if (proxy && !('mistake' in identity)) return this.#openProxy(proxy, all, connect, line, allowance);
    // One connector per pool: its connections share TLS sessions.
    const dial =
      'mistake' in identity
        ? unusable(identity.mistake)
        : readingAnswers(guard.connect(connect), allowance, this.#reading);
    const factory = (origin: URL, given: object) => this.#openClient(origin, given, dial, line);
    // A name may resolve to another address by now, and the egress policy may have changed: this also holds for
    // connections under constant load.
    return agingPool(url.origin, { ...all, factory }, maxAgeMs);
  }

  #openClient(origin: URL, options: object, dial: Connector, line: Line): Client {
    const connect = this.#settings.budget.limit(dial, () => client, line, this.#settings.customer);
    const client: Client = new Client(origin, { ...options, connect });
    return client;
  }

  /** The guard checks the proxy's address and, before it requests a tunnel, the target's. */
  #openProxy(
    proxy: URL,
    limits: Pool.Options,
    requestTls: ConnectOptions,
    line: Line,
    allowance: ReadAllowance,
  ): Dispatcher {
    const { guard, budget, maxAgeMs } = this.#settings;
    const { username, password } = proxy;
    const pair = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
    const dial = dialedProxy(guard.connectToProxy({ timeout: CONNECT_TIMEOUT_MS, allowH2: false }));
    // A socket that became a tunnel looks idle to the client that dialed it: it must not be closed for another.
    const connect = budget.limit(dial, () => undefined, line, this.#settings.customer);
    return new ProxyAgent({
      ...limits,
      uri: proxy.origin,
      ...(username !== '' && { token: `Basic ${Buffer.from(pair).toString('base64')}` }),
      // A tunnel is used for plain http as well, so that there is one way out and the proxy does not see our headers.
      proxyTunnel: true,
      requestTls,
      factory: (origin, tunnel: Pool.Options) => {
        const connect = guard.throughProxy(tunnelledByProxy(tunnel.connect as Connector));
        return agingPool(origin, { ...tunnel, connect: readingAnswers(connect, allowance, this.#reading) }, maxAgeMs);
      },
      // undici would wait for minutes for the proxy's answer, and the socket counts meanwhile.
      clientFactory: (origin) =>
        new Pool(origin, { connections: limits.connections ?? null, connect, headersTimeout: requestTls.timeout ?? 0 }),
    });
  }
}

/**
 * Refuses every connection: the customer is held until its certificate is replaced, and no event's attempt is used up.
 */
function unusable({ place, message }: TlsMistake): Connector {
  return (_target, callback) => {
    const error = new DatabridgeError('DB_EGRESS_REFUSED', `tls.${place} of the subscription ${message}`);
    process.nextTick(callback, error, null);
  };
}
