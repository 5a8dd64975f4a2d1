import type { Socket } from 'node:net';
import type { Timer } from '@databridge/kernel/time/clock';
import { every } from '@databridge/kernel/time/every';

/** The headers and trailers of one answer, compressed (RFC 7541), and the frames around them. */
const PER_REQUEST_BYTES = 8_192;
/** DATA frames have a header of 9 bytes (RFC 9113 §4.1). */
const FRAME_HEAD_BYTES = 9;
/**
 * The data that a server may have in flight for a stream that we reset: the initial window (RFC 9113 §6.9.2), in tiny
 * frames.
 */
const PER_RESET_BYTES = 131_072;
/**
 * The allowance of a server that only keeps its connection alive: PING, SETTINGS and WINDOW_UPDATE are below 20 bytes
 * each.
 */
const PER_CHECK_BYTES = 8_192;
const CHECK_INTERVAL_MS = 250;
/** The most that is saved up, besides what the requests of the last interval earned. */
const MAX_SAVED_BYTES = 524_288;

/**
 * The number of bytes that the servers of one pool may send over HTTP/2. Over HTTP/1.1 `answer-heads.ts` reads every
 * byte. Over HTTP/2 Node reads them, and nothing limits the frames that belong to no stream (PING, SETTINGS, frames of a
 * stream that was reset). So requests earn an allowance, and a connection that reads more than that is closed.
 */
export class ReadAllowance {
  #earnedBytes = 0;

  /** The total up to now. Only differences are meaningful. */
  get earnedBytes(): number {
    return this.#earnedBytes;
  }

  request(): void {
    this.#earnedBytes += PER_REQUEST_BYTES;
  }

  data(bytes: number): void {
    this.#earnedBytes += bytes + FRAME_HEAD_BYTES;
  }

  reset(): void {
    this.#earnedBytes += PER_RESET_BYTES;
  }
}

interface Watched {
  readonly allowance: ReadAllowance;
  readBytes: number;
  earnedBytes: number;
  savedBytes: number;
}

const watched = new Map<Socket, Watched>();
let timer: Timer | undefined;

/** Closes the connection when its server sends more than the allowance. One timer serves all connections. */
export function watchReads(socket: Socket, allowance: ReadAllowance): void {
  watched.set(socket, {
    allowance,
    readBytes: socket.bytesRead,
    earnedBytes: allowance.earnedBytes,
    savedBytes: MAX_SAVED_BYTES,
  });
  timer ??= every(CHECK_INTERVAL_MS, checkAll, { isBackground: true });
  socket.once('close', () => {
    watched.delete(socket);
    if (watched.size > 0) return;
    timer?.cancel();
    timer = undefined;
  });
}

function checkAll(): void {
  for (const [socket, watch] of watched) check(socket, watch);
}

function check(socket: Socket, watch: Watched): void {
  const { allowance, readBytes, earnedBytes, savedBytes } = watch;
  watch.readBytes = socket.bytesRead;
  watch.earnedBytes = allowance.earnedBytes;
  const earned = watch.earnedBytes - earnedBytes + PER_CHECK_BYTES;
  const left = savedBytes + earned - (watch.readBytes - readBytes);
  watch.savedBytes = Math.min(left, MAX_SAVED_BYTES + earned);
  if (left < 0) socket.destroy(new Error('the server sent more over HTTP/2 than answers need'));
}
