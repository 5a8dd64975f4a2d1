import type { Socket } from 'node:net';
import type { ReadingTurn } from '../shares/reading-turn.ts';
import type { Connector } from './egress-guard.ts';
import { type ReadAllowance, watchReads } from './read-allowance.ts';

/** RFC 9110 §15.2 sets no limit. Proxies send one or two; more than this is a flood. */
const MAX_INTERIM_ANSWERS = 16;
/** Status lines and header lines of one answer, interim answers included. */
const MAX_HEAD_BYTES = 32_768;
const MAX_HEAD_LINES = 512;
/**
 * The limit of one answer on the wire, chunk sizes and chunk extensions included: the 256 KiB that are read of an
 * answer from AWS, which is the longest, and the overhead of headers and chunks.
 */
const MAX_WIRE_BYTES = 327_680;
/** Each chunk costs a turn of the event loop, even if it has few bytes. */
const MAX_READS = 1_024;

/** Enough for the version and the status. */
const STATUS_LINE_BYTES = 24;
/** The length of an empty line and of the line end before it, less the last byte. */
const END_OF_HEAD_BYTES = 3;

const LF = 0x0a;
const CR = 0x0d;
const CRLF_CRLF = Buffer.from('\r\n\r\n');
const LF_LF = Buffer.from('\n\n');
const NOTHING = Buffer.alloc(0);

/** The final head of an answer, as the connection saw it. */
export interface Head {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[]>>;
}

const headTexts = new WeakMap<Error, string>();

/**
 * The complete head that had come before the connection failed with this error. undici reports some malformed answers
 * (two equal `Content-Length` headers, say) as a failed connection, although the status could be read.
 */
export function headBefore(error: Error): Head | undefined {
  const text = headTexts.get(error);
  return text === undefined ? undefined : parseHead(text);
}

/**
 * Reads each answer of an HTTP/1.1 connection before undici's parser does:
 *
 * - It drops interim (1xx) answers, which undici takes for a protocol error when nobody asked for them (100) or when
 *   they offer another protocol (101). An unasked 101 is not an upgrade: what follows must be HTTP.
 * - It hands over a head in one piece, and bounds the number, the bytes and the pieces of what a server may send.
 * - It remembers the final head until the next request, for {@link headBefore}.
 * - It lets undici read when it is the customer's turn, so that floods are parsed a slice at a time.
 *
 * undici sends no request before the answer to the one before has ended, so each write begins a new answer. Over
 * HTTP/2 streams are independent and Node reads their headers: there only the bytes of the connection are bounded.
 */
export function readingAnswers(connect: Connector, allowance: ReadAllowance, turn: ReadingTurn): Connector {
  return (target, callback) =>
    connect(target, (...result) => {
      const [, socket] = result;
      // undici omits it if there is an error, although its types require it.
      if (socket && (socket as { alpnProtocol?: unknown }).alpnProtocol === 'h2') watchReads(socket, allowance);
      else if (socket) watch(socket, turn);
      callback(...result);
    });
}

function watch(socket: Socket, turn: ReadingTurn): void {
  const heads = new AnswerHeads((error) => socket.destroy(error));
  const read = socket.read.bind(socket);
  const write = socket.write.bind(socket) as (...given: unknown[]) => boolean;
  const emit = socket.emit.bind(socket) as (...given: unknown[]) => boolean;
  let isWaiting = false;
  const becomeReadable = () => {
    isWaiting = false;
    emit('readable');
  };
  // undici reads everything that has arrived, and its parser calls us, within this event.
  socket.emit = (...given: unknown[]) => {
    if (given[0] !== 'readable') return emit(...given);
    if (!isWaiting) {
      isWaiting = true;
      turn.read(becomeReadable);
    }
    return true;
  };
  socket.read = (size?: number) => {
    // Node's streams ask for 0 bytes to start a read.
    if (size !== undefined) return read(size);
    for (;;) {
      const chunk: Buffer | null = read();
      if (chunk === null) return null;
      const passed = heads.pass(chunk);
      if (passed.length > 0) return passed;
    }
  };
  socket.write = (...given: unknown[]) => {
    heads.begin();
    return write(...given);
  };
  socket.prependListener('error', (error: Error) => {
    if (heads.final !== '') headTexts.set(error, heads.final);
  });
}

/**
 * The heads of one connection's answers, one answer after the other.
 *
 *     begin ─▶ head ──1xx──▶ head ──final──▶ body: passed on as it is, counted
 *               └── not HTTP: passed on, for undici's parser to refuse
 */
export class AnswerHeads {
  readonly #fail: (error: Error) => void;
  #isInHead = true;
  #hasFailed = false;
  #held: Buffer = NOTHING;
  /** Offset in the held bytes up to which no end of the head was found. */
  #scannedTo = 0;
  #lines = 0;
  #interims = 0;
  #headBytes = 0;
  #wireBytes = 0;
  #reads = 0;
  #final = '';
  /** The beginning of a head that exceeds its bounds, while its end is looked for. */
  #tooLarge: { readonly text: string; readonly excess: string } | undefined;

  /** @param fail closes the connection */
  constructor(fail: (error: Error) => void) {
    this.#fail = fail;
  }

  /** The final head of the current answer as text, once it is complete. */
  get final(): string {
    return this.#final;
  }

  /** A request is being sent: the bytes that follow are its answer. */
  begin(): void {
    this.#isInHead = true;
    this.#held = NOTHING;
    this.#scannedTo = 0;
    this.#lines = 0;
    this.#interims = 0;
    this.#headBytes = 0;
    this.#wireBytes = 0;
    this.#reads = 0;
    this.#final = '';
    this.#tooLarge = undefined;
  }

  /** @returns the bytes to pass to undici's parser now */
  pass(chunk: Buffer): Buffer {
    if (this.#hasFailed) return NOTHING;
    this.#wireBytes += chunk.length;
    this.#reads += 1;
    if (this.#wireBytes > MAX_WIRE_BYTES) {
      return this.#refuse(this.#tooLarge?.excess ?? `longer than ${MAX_WIRE_BYTES} bytes`);
    }
    if (this.#reads > MAX_READS) return this.#refuse(`sent in more than ${MAX_READS} pieces`);
    return this.#isInHead ? this.#passHead(chunk) : chunk;
  }

  #passHead(chunk: Buffer): Buffer {
    let data = this.#held.length === 0 ? chunk : Buffer.concat([this.#held, chunk]);
    if (this.#tooLarge) return this.#passOver(data, this.#endOfHead(data), this.#tooLarge.excess);
    for (;;) {
      if (this.#scannedTo === 0) data = withoutLeadingLines(data);
      if (!mayBeHttp(data)) return this.#passAll(data);
      const end = this.#endOfHead(data);
      const excess = this.#excessOf(data, end);
      if (excess !== undefined) return this.#passOver(data, end, excess);
      if (end === undefined) {
        this.#held = data;
        return NOTHING;
      }
      const status = statusOf(data);
      if (status === undefined) return this.#passAll(data);
      if (status >= 200) {
        this.#final = data.toString('latin1', 0, end);
        const single = withSingleLength(this.#final);
        return this.#passAll(
          single === undefined ? data : Buffer.concat([Buffer.from(single, 'latin1'), data.subarray(end)]),
        );
      }
      if (status < 100) return this.#refuse(`with the status ${String(status).padStart(3, '0')}, which does not exist`);
      this.#interims += 1;
      if (this.#interims > MAX_INTERIM_ANSWERS) {
        return this.#refuse(`preceded by more than ${MAX_INTERIM_ANSWERS} interim (1xx) answers`);
      }
      this.#headBytes += end;
      this.#scannedTo = 0;
      this.#held = NOTHING;
      data = data.subarray(end);
      if (data.length === 0) return NOTHING;
    }
  }

  /** Names the limit that the head, or the part of it that has arrived, exceeds. */
  #excessOf(data: Buffer, end: number | undefined): string | undefined {
    if (this.#lines > MAX_HEAD_LINES) return `of more than ${MAX_HEAD_LINES} header lines`;
    const bytes = this.#headBytes + (end ?? data.length);
    return bytes > MAX_HEAD_BYTES ? `with more than ${MAX_HEAD_BYTES} bytes of headers` : undefined;
  }

  /**
   * An answer whose head is too large is refused, but its status counts once the head is complete: the endpoint has
   * answered. So the rest of it is searched for its end, and not kept, up to {@link MAX_WIRE_BYTES}.
   */
  #passOver(data: Buffer, end: number | undefined, excess: string): Buffer {
    const text = this.#tooLarge?.text ?? data.toString('latin1', 0, Math.min(end ?? data.length, MAX_HEAD_BYTES));
    const isFinal = (statusOf(Buffer.from(text.slice(0, STATUS_LINE_BYTES), 'latin1')) ?? 0) >= 200;
    if (end !== undefined && isFinal) this.#final = text;
    if (end !== undefined || !isFinal) return this.#refuse(excess);
    this.#tooLarge = { text, excess };
    this.#held = Buffer.from(data.subarray(-END_OF_HEAD_BYTES));
    this.#scannedTo = 0;
    return NOTHING;
  }

  /** The offset after the empty line; undefined if it has not arrived yet. Native code examines each byte once. */
  #endOfHead(data: Buffer): number | undefined {
    let at = data.indexOf(LF, this.#scannedTo);
    for (; at >= 0; at = data.indexOf(LF, at + 1)) {
      if (data[at + 1] === LF) return at + 2;
      if (data[at + 1] === CR && data[at + 2] === LF) return at + 3;
      // The bytes after this line's end have not arrived: examine it again.
      if (at + 2 >= data.length) break;
      this.#lines += 1;
      // The head will be refused: a call for each line would only cost time. Its status can be read nevertheless once
      // it is complete.
      if (this.#lines > MAX_HEAD_LINES) return endBehind(data, at + 1);
    }
    this.#scannedTo = at >= 0 ? at : data.length;
    return undefined;
  }

  #passAll(data: Buffer): Buffer {
    this.#isInHead = false;
    this.#held = NOTHING;
    return data;
  }

  #refuse(what: string): Buffer {
    this.#hasFailed = true;
    this.#held = NOTHING;
    this.#fail(new Error(`the answer is ${what}`));
    return NOTHING;
  }
}

/** The limit of a head. */
function endBehind(data: Buffer, from: number): number | undefined {
  const head = data.subarray(0, MAX_HEAD_BYTES);
  const ends = [CRLF_CRLF, LF_LF].map((end) => [head.indexOf(end, from), end.length] as const);
  const found = ends.filter(([at]) => at >= 0).map(([at, length]) => at + length);
  return found.length === 0 ? undefined : Math.min(...found);
}

const STATED_AGAIN = /^content-length:(?:.*,|[\s\S]*\ncontent-length:)/im;
const LENGTH_LINE = /^content-length:(.*)\r?\n/gim;

/**
 * RFC 9112 §6.3: a length that is stated several times, in as many headers or in a list, is that length. undici refuses the
 * answer, and a token or what AWS says of a message would be lost with its body.
 * @returns the head with one length; undefined: it stays as it is
 */
function withSingleLength(head: string): string | undefined {
  if (!STATED_AGAIN.test(head)) return undefined;
  const lengths = [...head.matchAll(LENGTH_LINE)]
    .flatMap(([, value = '']) => value.split(','))
    .map((one) => one.trim());
  const [length = ''] = lengths;
  if (!/^\d+$/.test(length) || lengths.some((one) => one !== length)) return undefined;
  let isFirst = true;
  return head.replace(LENGTH_LINE, () => {
    const line = isFirst ? `content-length: ${length}\r\n` : '';
    isFirst = false;
    return line;
  });
}

/** RFC 9112 §2.2: some servers send an extra empty line. */
function withoutLeadingLines(data: Buffer): Buffer {
  let at = 0;
  while (data[at] === CR || data[at] === LF) at += 1;
  return at === 0 ? data : data.subarray(at);
}

const HTTP = Buffer.from('HTTP/');

function mayBeHttp(data: Buffer): boolean {
  const length = Math.min(data.length, HTTP.length);
  return data.compare(HTTP, 0, length, 0, length) === 0;
}

/**
 * `HTTP/2 200` counts as well, although it is not an answer of HTTP/1.1: undici refuses it, but its status can be read.
 */
function statusOf(data: Buffer): number | undefined {
  const digits = /^HTTP\/\d(?:\.\d)?[ \t]+(\d{3})(?!\d)/.exec(data.toString('latin1', 0, STATUS_LINE_BYTES))?.[1];
  return digits === undefined ? undefined : Number(digits);
}

/** This is lenient: it is used only for answers that undici's parser refused. */
function parseHead(text: string): Head {
  const [statusLine = '', ...lines] = text.split(/\r?\n/);
  const headers: Record<string, string | string[]> = Object.create(null);
  for (const line of lines) {
    const colon = line.indexOf(':');
    if (colon <= 0) continue;
    const name = line.slice(0, colon).trim().toLowerCase();
    const value = line.slice(colon + 1).trim();
    const before = headers[name];
    headers[name] = before === undefined ? value : [before, value].flat();
  }
  return { status: Number(/[ \t](\d{3})/.exec(statusLine)?.[1]), headers };
}
