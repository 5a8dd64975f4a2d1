/** Whether what a customer sets lies within what an operator set. */
import { type ASTNode, Environment } from '@marcbachmann/cel-js';
import type { Granted, Subscription } from '../subscription/subscription.ts';

/** What operators set last: what customers narrow. */
export function grantedBy({
  granted,
  filter,
  sections,
}: Pick<Subscription<unknown>, 'granted' | 'filter' | 'sections'>): Granted {
  return granted ?? { ...(filter !== undefined && { filter }), ...(sections !== undefined && { sections }) };
}

/**
 * A filter is narrower if it is the operator's with more conditions, joined by `&&`. Others may be narrower too, but
 * nobody can tell by reading them. Fan-out asks both filters all the same: one that fails lets an event through.
 */
export function narrowsFilter(filter: string, granted: string): boolean {
  const own = conditionsOf(filter);
  return conditionsOf(granted)?.every((one) => own?.includes(one) === true) === true;
}

/** @returns undefined: it is no CEL expression */
function conditionsOf(filter: string): string[] | undefined {
  try {
    return joined(new Environment().parse(filter).ast).map((node) => JSON.stringify(shapeOf(node)));
  } catch {
    return undefined;
  }
}

const joined = (node: ASTNode): ASTNode[] => (node.op === '&&' ? node.args.flatMap(joined) : [node]);

/** The expression without its position in the text. */
function shapeOf(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(shapeOf);
  if (typeof value === 'bigint') return { int: String(value) };
  if (value instanceof Uint8Array) return { bytes: Buffer.from(value).toString('base64') };
  if (typeof value !== 'object' || value === null) return value;
  if ('op' in value && 'args' in value) return { op: value.op, args: shapeOf(value.args) };
  // Literals that the parser holds as objects, such as unsigned numbers.
  return { [value.constructor.name]: String(value) };
}

/** @returns the sections that an operator did not give */
export function sectionsBeyond(sections: readonly string[], granted: readonly string[]): string[] {
  return sections.filter((name) => !granted.includes(name));
}
