/** All kinds of destination together: what a subscription may have under `destination`. */
import { z } from 'zod';
import type { DestinationKind } from './kind.ts';
import * as kinds from './kinds.ts';

type Kinds = (typeof kinds)[keyof typeof kinds];
type SettingsOf<Kind> = Kind extends { readonly schema: infer Schema extends z.ZodType } ? z.output<Schema> : never;

/** The destination of a customer's events: the settings of one kind. */
export type Destination = SettingsOf<Kinds>;

/** The kinds by the `type` of a subscription's destination. */
export const DESTINATION_KINDS: ReadonlyMap<string, DestinationKind> = new Map(
  Object.values(kinds).map((kind) => [kind.schema.shape.type.value, kind as unknown as DestinationKind]),
);

export const destinationSchema = z.discriminatedUnion(
  'type',
  Object.values(kinds).map(({ schema }) => schema) as unknown as [Kinds['schema'], ...Kinds['schema'][]],
);

/** @throws {TypeError} for a type that the validator does not accept */
export function kindOf({ type }: { readonly type: string }): DestinationKind {
  const kind = DESTINATION_KINDS.get(type);
  if (kind === undefined) throw new TypeError(`there is no destination of the type "${type}"`);
  return kind;
}
