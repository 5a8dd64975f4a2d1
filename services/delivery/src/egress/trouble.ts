import type { FailureClass } from '@databridge/schemas/destination/outcome';
import { DialError } from './dial.ts';

/** Why a request got no answer. */
export interface Trouble {
  /** If omitted, the class is `headers` of {@link FailureClass}. */
  readonly failure?: FailureClass;
  /** The text that customers may read: it never contains an address inside our network. */
  readonly trouble: string;
  /** The text for operators only: the addresses, and the error of each. */
  readonly operatorDetail?: string;
  /** True if the egress policy refuses the address, or our egress proxy is at fault. */
  readonly isBlocked: boolean;
  /** Nothing was sent: this worker does not own the record any more. It says nothing about the destination. */
  readonly isWithheld?: true;
  /** The error code (RFC 9113 §7) with which the server reset the stream or closed the session. */
  readonly http2Code?: number;
  /** The server did not process the request, or it was never sent: it may be sent again without a second copy. */
  readonly isUnprocessed?: true;
  /** The connection takes no further request, though undici may not know it yet. */
  readonly isConnectionOver?: true;
}

/** The errors with which Node and undici reject. */
interface NetworkError extends Error {
  readonly code?: string;
  /** The code that undici sets, of the stream. */
  readonly http2ErrorCode?: number;
}

export function troubleOf(error: NetworkError): Trouble {
  const { code } = error;
  if (code === 'DB_EGRESS_REFUSED' || code === 'DB_EGRESS_PROXY') {
    const operatorDetail = error.cause instanceof Error ? detailOf(error.cause) : undefined;
    const failure = code === 'DB_EGRESS_PROXY' ? 'proxy' : 'egress';
    return {
      failure,
      trouble: error.message,
      isBlocked: true,
      ...(operatorDetail !== undefined && { operatorDetail }),
    };
  }
  if (error instanceof DialError) {
    return { failure: 'connect', trouble: wordsOf(error), operatorDetail: detailOf(error), isBlocked: false };
  }
  const failure = failureOf(code);
  return http2Trouble(error) ?? { ...(failure && { failure }), trouble: wordsOf(error), isBlocked: false };
}

const OF_DNS = /^(ENOTFOUND|EAI_|ENODATA|ESERVFAIL|EREFUSED|ETIMEOUT)/;
const OF_TLS = /^(ERR_TLS_|ERR_SSL_|CERT_|UNABLE_TO_|SELF_SIGNED_|DEPTH_ZERO_|ERR_OSSL_|EPROTO)/;
const OF_CONNECTING = /^(ECONNREFUSED|EHOSTUNREACH|ENETUNREACH|EADDRNOTAVAIL|UND_ERR_CONNECT_TIMEOUT)/;

function failureOf(code: string | undefined): FailureClass | undefined {
  if (code === undefined) return undefined;
  if (OF_DNS.test(code)) return 'dns';
  if (OF_TLS.test(code)) return 'tls';
  return OF_CONNECTING.test(code) ? 'connect' : undefined;
}

/** For a name with hundreds of addresses, the first few are enough. */
const SHOWN_ADDRESSES = 10;

function detailOf(error: Error): string {
  if (!(error instanceof DialError)) return error.message;
  const shown = error.attempts.slice(0, SHOWN_ADDRESSES);
  const left = error.attempts.length - shown.length;
  const each = shown.map(({ address, code, afterMs }) => `${address}: ${code} after ${afterMs} ms`).join('; ');
  return left === 0 ? each : `${each}; and ${left} more`;
}

/** The error codes of RFC 9113 §7, by number. */
const HTTP2_ERRORS = [
  ...['NO_ERROR', 'PROTOCOL_ERROR', 'INTERNAL_ERROR', 'FLOW_CONTROL_ERROR', 'SETTINGS_TIMEOUT', 'STREAM_CLOSED'],
  ...['FRAME_SIZE_ERROR', 'REFUSED_STREAM', 'CANCEL', 'COMPRESSION_ERROR', 'CONNECT_ERROR', 'ENHANCE_YOUR_CALM'],
  ...['INADEQUATE_SECURITY', 'HTTP_1_1_REQUIRED'],
] as const;

const nameOf = (http2Code: number) => HTTP2_ERRORS[http2Code] ?? `error ${http2Code}`;

/**
 * undici sets the stream's code on every error of a stream, including errors of its session and of the socket below,
 * such as a TLS alert. Node's own code tells which of them it is.
 */
function http2Trouble({ code, message, http2ErrorCode }: NetworkError): Trouble | undefined {
  const closed = (http2Code: number) => ({
    trouble: `the server closed the HTTP/2 connection (${nameOf(http2Code)})`,
    isBlocked: false,
    http2Code,
    isConnectionOver: true as const,
  });
  // undici rejects with this error only for streams that the server stated it did not process.
  const goAwayCode = /"GOAWAY" frame received with code (\d+)/.exec(message)?.[1];
  if (goAwayCode !== undefined) return { ...closed(Number(goAwayCode)), isUnprocessed: true };
  switch (code) {
    case 'ERR_HTTP2_SESSION_ERROR':
      return closed(Number(/code (\d+)/.exec(message)?.[1] ?? http2ErrorCode));
    case 'ERR_HTTP2_INVALID_SESSION':
    case 'ERR_HTTP2_GOAWAY_SESSION':
    case 'ERR_HTTP2_STREAM_CANCEL':
      return {
        trouble: 'the HTTP/2 connection was already closed',
        ...{ isBlocked: false, isUnprocessed: true, isConnectionOver: true },
      };
    default:
      if (code?.startsWith('ERR_HTTP2_') && code !== 'ERR_HTTP2_STREAM_ERROR') {
        return { trouble: `the HTTP/2 connection failed: ${message}`, isBlocked: false, isConnectionOver: true };
      }
      if (http2ErrorCode === undefined || isOfSocket(code)) return undefined;
      return {
        trouble: `the server reset the HTTP/2 stream (${nameOf(http2ErrorCode)})`,
        isBlocked: false,
        http2Code: http2ErrorCode,
      };
  }
}

/** Node's codes of sockets and of TLS; an error of a stream has a code of HTTP/2, of undici, or none. */
function isOfSocket(code: string | undefined): boolean {
  return code !== undefined && !code.startsWith('ERR_HTTP2_') && !code.startsWith('UND_ERR_');
}

function wordsOf({ code, message }: NetworkError): string {
  switch (code) {
    // undici checks itself by assertions, and a server's data can break them.
    case 'ERR_ASSERTION':
      return 'the answer is not valid HTTP';
    case 'UND_ERR_HEADERS_OVERFLOW':
      return 'the answer has more than 16384 bytes of headers';
    case undefined:
      return message;
    default:
      return `${code}: ${bareMessage(message)}`;
  }
}

/**
 * OpenSSL's errors tell the thread, the function and the line of its source: only the reason says something, and it is the
 * same for each attempt. Node's advice about authorities is for the person who started the process.
 */
function bareMessage(message: string): string {
  const [, reason] = /error:[0-9A-F]+:[^:]*:[^:]*:([^:\n]+)/.exec(message) ?? [];
  return reason ?? message.replace(/; if the root CA is installed locally.*$/s, '');
}
