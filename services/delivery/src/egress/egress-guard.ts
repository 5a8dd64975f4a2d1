import { type LookupAddress, type LookupAllOptions, lookup as systemLookup } from 'node:dns';
import { isIP, type Socket } from 'node:net';
import type { EgressPolicy } from '@databridge/kernel/egress/egress-policy';
import { DatabridgeError } from '@databridge/kernel/errors';
import { systemClock, type Timer } from '@databridge/kernel/time/clock';
import { buildConnector } from 'undici';
import { DialError, type Dialing, dialAddresses, type FailedAttempt } from './dial.ts';

export type ConnectOptions = buildConnector.BuildOptions;
export type Connector = buildConnector.connector;

/** `dns.lookup`, or a function that asks another resolver. */
export type Lookup = (
  hostname: string,
  options: LookupAllOptions,
  callback: (error: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => void,
) => void;

/** Why there is no connection, with the addresses. It is shown to operators only. */
export interface FailedDial {
  readonly host: string;
  readonly attempts: readonly FailedAttempt[];
}

const DEFAULT_TIMEOUT_MS = 10_000;

/**
 * Nothing was sent. Becomes the outcome `blocked`.
 * @param why the text that customers read
 * @param operatorDetail the text that only operators read: the address inside our network that a name leads to
 */
function refused(why: string, operatorDetail?: string): DatabridgeError {
  const cause = operatorDetail === undefined ? undefined : new Error(operatorDetail);
  return new DatabridgeError('DB_EGRESS_REFUSED', why, { cause });
}

/**
 * Opens every connection to a host that a customer names: destinations, token endpoints, and the proxy on the way
 * there. The address that was checked is the address that is dialed, so a DNS answer that changes afterwards has no
 * effect:
 *
 *     scheme ─▶ host, if it is an address ─▶ resolve, once ─▶ judge every address ─▶ dial these ─▶ judge the peer ─▶ TLS
 *
 * One time-out covers all of it. Every exception is passed to the callback.
 */
export class EgressGuard {
  readonly #policy: EgressPolicy;
  readonly #lookup: Lookup;
  readonly #onFailed: (failed: FailedDial) => void;

  /** @param onFailed called with every host that accepted no connection */
  constructor(
    policy: EgressPolicy,
    lookup: Lookup = systemLookup,
    onFailed: (failed: FailedDial) => void = () => undefined,
  ) {
    this.#policy = policy;
    this.#lookup = lookup;
    this.#onFailed = onFailed;
  }

  /** @param options TLS (`secureContext`), `timeout` in ms for the whole, `allowH2` */
  connect(options: ConnectOptions): Connector {
    const dial = this.connectToProxy(options);
    return (target, callback) => {
      const refusal = this.#policy.schemeRefusal(target.protocol);
      if (refusal !== undefined) return refuse(refused(`${target.hostname}: ${refusal}`), callback);
      dial(target, callback);
    };
  }

  /**
   * Connects as {@link connect} does, but without TLS: the caller of the socket begins it. If the caller does not,
   * plain http must be allowed.
   */
  connectSocket({ timeout, isEncrypted }: { readonly timeout: number; readonly isEncrypted: boolean }): Connector {
    const dial = this.connectToProxy({ timeout, allowH2: false });
    return (target, callback) => {
      const refusal = this.#policy.schemeRefusal(isEncrypted ? 'https:' : 'http:');
      if (refusal === undefined) return dial(target, callback);
      refuse(refused(`${target.hostname}: encryption is none, which is not allowed here`), callback);
    };
  }

  /**
   * Connects as {@link connect} does, and allows plain http: only the request for a tunnel passes a proxy in the clear.
   */
  connectToProxy(options: ConnectOptions): Connector {
    const { timeout, ...tlsOptions } = options;
    const timeoutMs = timeout ?? DEFAULT_TIMEOUT_MS;
    // Uses a socket that is connected already; the time-out is ours.
    const startTls = buildConnector({ ...tlsOptions, timeout: 0 });
    return (target, callback) => {
      const { hostname } = target;
      const refusal = this.#policy.hostRefusal(hostname);
      if (refusal !== undefined) return refuse(refused(`the URL ${refusal}`), callback);
      const dial = new Dial(target, timeoutMs, startTls, (...result) => {
        const [error] = result;
        if (error instanceof DialError) this.#onFailed({ host: hostname, attempts: error.attempts });
        callback(...result);
      });
      if (isIP(hostname) !== 0) {
        dial.to([{ address: hostname, family: isIP(hostname) }], this.#judgePeer);
        return;
      }
      this.#lookup(hostname, { all: true }, (error, addresses = []) => {
        const found = error ? undefined : this.#firstRefusal(hostname, addresses);
        if (error) dial.fail(error);
        else if (found !== undefined) dial.fail(found);
        else if (addresses.length === 0) dial.fail(new Error(`${hostname} has no address`));
        else dial.to(addresses, this.#judgePeer);
      });
    };
  }

  /**
   * The address that was dialed has settled this already; the check holds even if a new Node dials in a way that
   * bypasses it.
   */
  readonly #judgePeer = (hostname: string, socket: Socket): Error | undefined => {
    const peer = socket.remoteAddress;
    return peer === undefined ? undefined : this.#firstRefusal(hostname, [{ address: peer }]);
  };

  /**
   * The proxy dials the addresses behind it: the target is checked by the addresses that its name has here, and those
   * that it has at the proxy are the proxy's to check. A name without an address here passes, as workers behind proxies
   * often have no DNS.
   */
  throughProxy(tunnel: Connector): Connector {
    return (target, callback) => {
      const { hostname, protocol } = target;
      const refusal = this.#policy.schemeRefusal(protocol) ?? this.#policy.hostRefusal(hostname);
      if (refusal !== undefined) return refuse(refused(`${hostname}: ${refusal}`), callback);
      if (isIP(hostname) !== 0) return tunnel(target, callback);
      this.#lookup(hostname, { all: true }, (_error, addresses = []) => {
        const found = this.#firstRefusal(hostname, addresses);
        if (found !== undefined) return refuse(found, callback);
        tunnel(target, callback);
      });
    };
  }

  /** One refused address is enough: a legitimate name does not have both kinds. */
  #firstRefusal(hostname: string, addresses: readonly Pick<LookupAddress, 'address'>[]): DatabridgeError | undefined {
    for (const { address } of addresses) {
      const refusal = this.#policy.addressRefusal(address);
      if (refusal === undefined) continue;
      return refused(
        `${hostname} has an address that may not be sent to: it ${refusal}`,
        `${hostname} leads to ${address}, which ${refusal}`,
      );
    }
    return undefined;
  }
}

/** One connection attempt: TCP, then TLS for https, within one time-out. It calls back once. */
class Dial {
  readonly #target: buildConnector.Options;
  readonly #timeoutMs: number;
  readonly #startTls: Connector;
  readonly #timer: Timer;
  #callback: buildConnector.Callback | undefined;
  #dialing: Dialing | undefined;
  #socket: Socket | undefined;

  constructor(
    target: buildConnector.Options,
    timeoutMs: number,
    startTls: Connector,
    callback: buildConnector.Callback,
  ) {
    this.#target = target;
    this.#timeoutMs = timeoutMs;
    this.#startTls = startTls;
    this.#callback = callback;
    this.#timer = systemClock.after(timeoutMs, () => this.#onTimeout());
  }

  to(addresses: readonly LookupAddress[], judge: (hostname: string, socket: Socket) => Error | undefined): void {
    if (this.#callback === undefined) return;
    const { hostname, port, protocol } = this.#target;
    const portNumber = Number(port) || (protocol === 'https:' ? 443 : 80);
    this.#dialing = dialAddresses(addresses, portNumber, this.#timeoutMs, (error, socket) => {
      this.#dialing = undefined;
      if (socket === null) {
        this.fail(error as Error);
        return;
      }
      this.#socket = socket;
      const refusal = judge(hostname, socket);
      if (refusal !== undefined) this.fail(refusal);
      else if (protocol === 'https:') this.#secure(socket);
      else this.#end(null, socket);
    });
  }

  fail(error: Error): void {
    this.#socket?.destroy();
    this.#end(error, null);
  }

  #secure(socket: Socket): void {
    // A failure of the socket reaches the TLS socket over it; without a listener here it would end the process.
    socket.on('error', () => undefined);
    try {
      this.#startTls({ ...this.#target, httpSocket: socket }, (error, secured) => {
        if (error === null) this.#end(null, secured);
        else this.fail(error);
      });
    } catch (error) {
      this.fail(error as Error);
    }
  }

  #onTimeout(): void {
    const attempts = this.#dialing?.cancel();
    if (attempts !== undefined) {
      this.fail(new DialError(attempts, this.#timeoutMs));
      return;
    }
    // The name was not resolved, or the TLS handshake did not end. The text is that of the exchange, whose time-out may
    // come first.
    this.fail(new Error(`no connection within ${this.#timeoutMs} ms`));
  }

  #end(...result: Parameters<buildConnector.Callback>): void {
    const callback = this.#callback;
    this.#callback = undefined;
    this.#timer.cancel();
    if (callback === undefined) result[1]?.destroy();
    else callback(...result);
  }
}

/** Never within the call itself: no client expects that. */
function refuse(error: DatabridgeError, callback: buildConnector.Callback): void {
  process.nextTick(callback, error, null);
}
