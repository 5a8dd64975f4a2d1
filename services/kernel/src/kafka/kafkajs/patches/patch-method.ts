import { KafkaPortError } from '../../errors.ts';

/**
 * Replaces a method of a class of the client library, once, and only if its source is the one that the replacement
 * was written for: a newer release must not get half a patch.
 *
 * @param expectedSource the method as it is in the library; white space and comments don't count
 * @throws {KafkaPortError} `DB_KAFKA_CLIENT_CHANGED`
 */
export function patchMethod(
  owner: { name: string; prototype: object },
  method: string,
  expectedSource: string,
  replacement: (...args: never[]) => unknown,
): void {
  const found: unknown = Reflect.get(owner.prototype, method);
  if (found === replacement) return;
  if (typeof found !== 'function' || essence(found.toString()) !== essence(expectedSource)) {
    throw new KafkaPortError(
      'DB_KAFKA_CLIENT_CHANGED',
      `kafkajs changed ${owner.name}.${method}: check whether our patch of it is still needed, and adapt it`,
    );
  }
  Reflect.set(owner.prototype, method, replacement);
}

function essence(source: string): string {
  return source
    .replace(/\/\*[\s\S]*?\*\//g, '')
    .replace(/\/\/.*$/gm, '')
    .replace(/\s+/g, ' ')
    .trim();
}
