import type { z } from 'zod';

/** Decodes a record whose value is JSON. @returns undefined if it is not, or does not fit the schema */
export function decodeJson<T>(schema: z.ZodType<T>, value: Buffer): T | undefined {
  try {
    return schema.safeParse(JSON.parse(value.toString('utf8'))).data;
  } catch {
    return undefined;
  }
}
