import type { LookupAddress } from 'node:dns';
import { connect, type Socket } from 'node:net';
import { systemClock, type Timer } from '@databridge/kernel/time/clock';

/** RFC 8305 §5 (happy eyeballs): the next address is tried if the one before has not answered within this time. */
const NEXT_ADDRESS_AFTER_MS = 250;
/** A name may have hundreds of addresses. With this many attempts open, the oldest is closed for the next. */
const MAX_OPEN_ATTEMPTS = 4;
/** The same as undici sets for its own sockets. */
const TCP_KEEP_ALIVE_AFTER_MS = 60_000;
const HIGH_WATER_MARK_BYTES = 65_536;

/** A failed attempt to connect. It is shown to operators only: customers must not learn addresses of our network. */
export interface FailedAttempt {
  readonly address: string;
  /** Node's code, such as `ECONNREFUSED`; `ETIMEDOUT` if the attempt was given up. */
  readonly code: string;
  readonly afterMs: number;
}

/** No address of a name accepted a connection. The message names the kinds of failure, and no address. */
export class DialError extends Error {
  override readonly name = 'DialError';
  readonly code: string;
  readonly attempts: readonly FailedAttempt[];

  constructor(attempts: readonly FailedAttempt[], timeoutMs: number) {
    super(wordsFor(attempts, timeoutMs));
    const codes = new Set(attempts.map(({ code }) => code));
    this.code = codes.size === 1 ? ([...codes][0] as string) : 'ECONNFAILED';
    this.attempts = attempts;
  }
}

function wordsFor(attempts: readonly FailedAttempt[], timeoutMs: number): string {
  const kinds = attempts.map(({ code }) => kindOf(code, timeoutMs));
  if (kinds.length === 1) return kinds[0] as string;
  const counts = new Map<string, number>();
  for (const kind of kinds) counts.set(kind, (counts.get(kind) ?? 0) + 1);
  const list = [...counts].map(([kind, count]) => `${count} × ${kind}`).join(', ');
  return `none of ${kinds.length} addresses accepted a connection: ${list}`;
}

function kindOf(code: string, timeoutMs: number): string {
  switch (code) {
    case 'ECONNREFUSED':
      return 'connection refused';
    case 'ETIMEDOUT':
      return `no answer within ${timeoutMs} ms`;
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
      return `no route (${code})`;
    default:
      return `connection failed (${code})`;
  }
}

export interface Dialing {
  /** Closes the attempts in progress; the callback is not called any more. @returns the addresses that failed so far */
  cancel(): readonly FailedAttempt[];
}

/**
 * Opens a TCP connection to one of the addresses, which all belong to the same name and were checked against the egress
 * policy. The attempts run side by side: one that is slow goes on while the next is tried, and the first to connect
 * wins.
 * @param timeoutMs after which the caller cancels: the time that all attempts share
 * @param callback called once, and not before this function has returned
 */
export function dialAddresses(
  addresses: readonly LookupAddress[],
  port: number,
  timeoutMs: number,
  callback: (error: Error | null, socket: Socket | null) => void,
): Dialing {
  return new Race(interleaved(addresses), port, timeoutMs, callback);
}

/** RFC 8305 §4: address families alternate, beginning with the one that the resolver prefers. */
function interleaved(addresses: readonly LookupAddress[]): LookupAddress[] {
  const first = addresses[0]?.family;
  const [one, other] = [
    addresses.filter(({ family }) => family === first),
    addresses.filter((a) => a.family !== first),
  ];
  const length = Math.max(one.length, other.length);
  return Array.from({ length }, (_, i) => [one[i], other[i]])
    .flat()
    .filter((address) => address !== undefined);
}

class Race implements Dialing {
  readonly #left: LookupAddress[];
  readonly #port: number;
  readonly #timeoutMs: number;
  readonly #endsAtMs: number;
  readonly #callback: (error: Error | null, socket: Socket | null) => void;
  readonly #open = new Map<Socket, { readonly address: string; readonly sinceMs: number }>();
  readonly #failed: FailedAttempt[] = [];
  #next: Timer | undefined;
  #isOver = false;

  constructor(
    addresses: LookupAddress[],
    port: number,
    timeoutMs: number,
    callback: (error: Error | null, socket: Socket | null) => void,
  ) {
    this.#left = addresses;
    this.#port = port;
    this.#timeoutMs = timeoutMs;
    this.#endsAtMs = systemClock.monotonicMs() + timeoutMs;
    this.#callback = callback;
    this.#tryNext();
  }

  cancel(): readonly FailedAttempt[] {
    const sockets = [...this.#open.keys()];
    for (const socket of sockets) this.#giveUp(socket);
    this.#end();
    return this.#failed;
  }

  #tryNext(): void {
    this.#next?.cancel();
    const address = this.#left.shift();
    if (address === undefined || this.#isOver) return;
    const [oldest] = this.#open.keys();
    if (oldest !== undefined && this.#open.size >= MAX_OPEN_ATTEMPTS) this.#giveUp(oldest);
    this.#attempt(address);
    if (this.#left.length > 0) this.#next = systemClock.after(this.#nextAfterMs(), () => this.#tryNext());
  }

  /** Once attempts must be closed for others, the remaining time is divided between the remaining addresses. */
  #nextAfterMs(): number {
    if (this.#open.size < MAX_OPEN_ATTEMPTS) return NEXT_ADDRESS_AFTER_MS;
    return Math.max(NEXT_ADDRESS_AFTER_MS, (this.#endsAtMs - systemClock.monotonicMs()) / (this.#left.length + 1));
  }

  #attempt({ address, family }: LookupAddress): void {
    const sinceMs = systemClock.monotonicMs();
    try {
      const socket = connect({
        host: address,
        port: this.#port,
        family,
        highWaterMark: HIGH_WATER_MARK_BYTES,
      } as never);
      this.#open.set(socket, { address, sinceMs });
      socket.once('connect', () => this.#adopt(socket));
      socket.on('error', (error: NodeJS.ErrnoException) => this.#drop(socket, error.code ?? 'ECONNFAILED'));
    } catch (error) {
      // An invalid address or port throws. The error is never reported within the call itself: no caller expects that.
      const code = (error as NodeJS.ErrnoException).code ?? 'ECONNFAILED';
      this.#failed.push({ address, code, afterMs: 0 });
      setImmediate(() => this.#goOn());
    }
  }

  #adopt(socket: Socket): void {
    if (this.#isOver) return;
    this.#open.delete(socket);
    for (const other of [...this.#open.keys()]) this.#giveUp(other);
    this.#end();
    socket.removeAllListeners('error');
    socket.setNoDelay(true);
    socket.setKeepAlive(true, TCP_KEEP_ALIVE_AFTER_MS);
    this.#callback(null, socket);
  }

  #drop(socket: Socket, code: string): void {
    const attempt = this.#open.get(socket);
    if (attempt === undefined) return;
    this.#open.delete(socket);
    this.#failed.push({
      address: attempt.address,
      code,
      afterMs: Math.round(systemClock.monotonicMs() - attempt.sinceMs),
    });
    this.#goOn();
  }

  /** An attempt failed: the next need not wait. */
  #goOn(): void {
    if (this.#isOver) return;
    if (this.#left.length > 0) this.#tryNext();
    else if (this.#open.size === 0) this.#fail();
  }

  #fail(): void {
    this.#end();
    this.#callback(new DialError(this.#failed, this.#timeoutMs), null);
  }

  #giveUp(socket: Socket): void {
    const attempt = this.#open.get(socket);
    this.#open.delete(socket);
    socket.destroy();
    if (attempt === undefined) return;
    const afterMs = Math.round(systemClock.monotonicMs() - attempt.sinceMs);
    this.#failed.push({ address: attempt.address, code: 'ETIMEDOUT', afterMs });
  }

  #end(): void {
    this.#isOver = true;
    this.#next?.cancel();
  }
}
