/** Schemas and payloads for the tests of schema resolution. */
import avsc from 'avsc';
import { frame } from '../confluent-frame.ts';
import { EventType } from '../event-types.ts';

export const ID = 7;
export const record = (name: string, fields: unknown[], more = {}) => ({ type: 'record', name, fields, ...more });
export const field = (name: string, type: unknown, more = {}) => ({ name, type, ...more });
export const eventTypeOf = (schema: unknown) => new EventType('odd', 'odd', JSON.stringify(schema));

/** Reads with the reader's schema a payload that was written with the writer's. */
export function read(ours: unknown, theirs: unknown, payload: Buffer): unknown {
  return JSON.parse(documentOf(ours, theirs, payload));
}
export function documentOf(ours: unknown, theirs: unknown, payload: Buffer): string {
  return eventTypeOf(ours).readerFor(JSON.stringify(theirs)).json(frame(ID, payload)).toString();
}
export const written = (schema: unknown, value: unknown) => avsc.Type.forSchema(schema as avsc.Schema).toBuffer(value);
export const long = (value: bigint) => {
  const bytes: number[] = [];
  let left = BigInt.asUintN(64, (value << 1n) ^ (value >> 63n));
  for (; left >= 128n; left >>= 7n) bytes.push(Number(left & 127n) | 128);
  return Buffer.from([...bytes, Number(left)]);
};
export const one = (type: unknown, more = {}) => record('E', [field('a', type, more)]);
