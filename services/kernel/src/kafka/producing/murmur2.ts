/**
 * The hash by which the Java client chooses a key's partition (`Utils.murmur2` of Apache Kafka), so that a key goes to
 * the same partition from every client. A signed 32-bit integer.
 */
export function murmur2(key: Buffer): number {
  const m = 0x5bd1e995;
  const length = key.length;
  const tail = length & ~3;
  let h = 0x9747b28c ^ length;
  for (let at = 0; at < tail; at += 4) {
    let k = Math.imul(key.readInt32LE(at), m);
    k = Math.imul(k ^ (k >>> 24), m);
    h = Math.imul(h, m) ^ k;
  }
  const rest = length - tail;
  if (rest === 3) h ^= key.readUInt8(tail + 2) << 16;
  if (rest >= 2) h ^= key.readUInt8(tail + 1) << 8;
  if (rest >= 1) h = Math.imul(h ^ key.readUInt8(tail), m);
  h = Math.imul(h ^ (h >>> 13), m);
  return h ^ (h >>> 15);
}

/** Java's `Utils.toPositive(murmur2(key)) % partitions`. */
export function partitionOfKey(key: Buffer, partitions: number): number {
  return (murmur2(key) & 0x7fffffff) % partitions;
}
