/** Confluent's framing of a record's value: a zero byte, the writer schema's id (4 bytes, big-endian), the Avro data. */

export interface MalformedFrame {
  readonly malformed: string;
}

const FRAME_BYTES = 5;

/** @returns the id of the schema that the value was written with, or what is wrong with the frame */
export function schemaIdOf(value: Buffer): number | MalformedFrame {
  if (value.length < FRAME_BYTES) return { malformed: `${value.length} bytes are too few for a frame` };
  if (value[0] !== 0) return { malformed: `magic byte is ${value[0]}, not 0` };
  const id = value.readInt32BE(1);
  // Registries count up from 1, in a signed int: asking for a larger id is an error by itself.
  return id > 0 ? id : { malformed: `${id} is no schema id` };
}

/** @returns the Avro data of a frame, which share the frame's memory */
export function payloadOf(value: Buffer): Buffer {
  return value.subarray(FRAME_BYTES);
}

export function frame(schemaId: number, payload: Buffer): Buffer {
  const value = Buffer.allocUnsafe(FRAME_BYTES + payload.length);
  value.writeUInt8(0, 0);
  value.writeUInt32BE(schemaId, 1);
  payload.copy(value, FRAME_BYTES);
  return value;
}
