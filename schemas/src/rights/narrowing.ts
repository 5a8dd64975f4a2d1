/** Checks whether the settings of a customer lie within those of an operator. */
import { type ASTNode, Environment } from '@marcbachmann/cel-js';
import type { Granted, Subscription } from '../subscription/subscription.ts';

/** The settings that an operator made last, and that customers narrow. */
export function grantedBy({
  granted,
  filter,
  sections,
}: Pick<Subscription<unknown>, 'granted' | 'filter' | 'sections'>): Granted {
  return granted ?? { ...(filter !== undefined && { filter }), ...(sections !== undefined && { sections }) };
}

/**
 * A filter is narrower if it is the operator's with more conditions, joined by `&&`. Others may be narrower too, but
 * that cannot be decided from their text. Fan-out evaluates both filters nevertheless: one that fails lets an event
 * through.
 */
export function narrowsFilter(filter: string, granted: string): boolean {
  const own = conditionsOf(filter);
  return conditionsOf(granted)?.every((one) => own?.includes(one) === true) === true;
}

/** @returns undefined if it is not a CEL expression */
function conditionsOf(filter: string): string[] | undefined {
  try {
    return joined(new Environment().parse(filter).ast).map((node) => JSON.stringify(shapeOf(node)));
  } catch {
    return undefined;
  }
}

const joined = (node: ASTNode): ASTNode[] => (node.op === '&&' ? node.args.flatMap(joined) : [node]);

/** The expression without its positions in the text. */
function shapeOf(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(shapeOf);
  if (typeof value === 'bigint') return { int: String(value) };
  if (value instanceof Uint8Array) return { bytes: Buffer.from(value).toString('base64') };
  if (typeof value !== 'object' || value === null) return value;
  if ('op' in value && 'args' in value) return { op: value.op, args: shapeOf(value.args) };
  // Literals that the parser represents as objects, such as unsigned numbers.
  return { [value.constructor.name]: String(value) };
}

/** @returns the sections that an operator did not include */
export function sectionsBeyond(sections: readonly string[], granted: readonly string[]): string[] {
  return sections.filter((name) => !granted.includes(name));
}
