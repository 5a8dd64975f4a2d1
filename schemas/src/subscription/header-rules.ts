/** Which HTTP headers a customer may set, and which values they may have. */
import { z } from 'zod';

const HEADER_NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,128}$/;
const HEADER_VALUE = /^[\x20-\x7e]*$/;
/** We or the HTTP client set these: a customer's own value would break the request or replace our values. */
const RESERVED_HEADER =
  /^(host|content-length|content-type|content-encoding|transfer-encoding|connection|keep-alive|upgrade|te|trailer|expect|proxy-.*|webhook-.*|databridge-.*|ce-.*|x-amz-(date|content-sha256|security-token)|traceparent)$/i;

export const headerName = z
  .string()
  .regex(HEADER_NAME, 'is not an HTTP header name')
  .refine((name) => !RESERVED_HEADER.test(name), 'is set by Databridge itself');

const ownHeaderName = headerName.refine(
  (name) => name.toLowerCase() !== 'authorization',
  'must be set under authentication, where it is kept secret',
);

export const headerValue = z.string().regex(HEADER_VALUE, 'must be printable ASCII');

/** Headers that every request has. */
export const staticHeaders = z
  .record(ownHeaderName, headerValue)
  .superRefine((headers, context) => {
    for (const message of repeatedNames(Object.keys(headers))) context.addIssue({ code: 'custom', message });
  })
  .default({});

/** Names of headers are the same in any case: both values would be sent. */
export function repeatedNames(names: readonly string[]): string[] {
  const seen = new Map<string, string>();
  return names.flatMap((name) => {
    const first = seen.get(name.toLowerCase());
    seen.set(name.toLowerCase(), first ?? name);
    return first === undefined ? [] : [`names one header twice: ${first} and ${name}`];
  });
}
