/**
 * The content filter of a subscription: one CEL expression (cel.dev) over `event`, which is the event in the pinned
 * version of its schema. docs/decisions/content-filter.md says why CEL, and why this part of it.
 */
import { type ASTNode, Environment, EvaluationError, ParseError, TypeError as WrongType } from '@marcbachmann/cel-js';
import type { EventFields } from '../../event/event-fields.ts';
import { metered, WORK_PER_ERROR, type WorkRates } from '../../event/filter-meter.ts';
import { suggestion } from '../issue-words.ts';
import { MAX_FILTER_CHARS } from '../size-limits.ts';
import { childrenOf, declareFunctions, withOwnFunctions, withUsualNames } from './filter-functions.ts';

/**
 * Limits of a filter's text. The cost of one evaluation has two limits: MAX_COST, which counts each node as often as
 * the loops around it run, and the limit of what it may read of an event (filter-meter.ts).
 */
const LIMITS = { maxAstNodes: 300, maxDepth: 32, maxListElements: 200, maxMapEntries: 0, maxCallArguments: 3 };

/** The limit of evaluated nodes; those in a loop over a written list count once for each of its items. */
const MAX_COST = 5_000;
/** The unit is that of filter-meter.ts: a node takes about 20 ns. */
const WORK_PER_STEP = 4;
/**
 * The limit of nodes that can fail on a value that exists: a division by zero, an overflow, a text that is not a
 * number.
 */
const FALLIBLE = new Set(['/', '%', '*', '-', '+', '-_', '[]', 'call']);
/** The limit of nested operations on a text. */
const MAX_TEXT_CHAIN = 4;

export type FilterVerdict =
  | { readonly kind: 'matches' }
  /** `lacks`: the filter reads a value that the event does not have, and so it does not match. */
  | { readonly kind: 'differs'; readonly lacks?: string }
  /**
   * The result is unknown: a division by zero, a text that is not a number, or the filter would read too much of this
   * event. The event must not be lost because of it.
   */
  | {
      readonly kind: 'failed';
      readonly detail: string;
      /** The event is not the cause: the stored filter is not valid, so it fails on every event. */
      readonly isInvalid?: true;
    };

export interface EventFilter {
  /** @param event decoded with the pinned schema, or the JSON document that customers receive */
  test(event: unknown): FilterVerdict;
  /** The same, with the amount of work: see {@link Metered}. */
  measured(event: unknown): { readonly verdict: FilterVerdict; readonly work: number };
}

export type CompiledFilter =
  | { readonly ok: true; readonly filter: EventFilter }
  /** The reason, which completes "filter …". */
  | { readonly ok: false; readonly mistake: string };

/** Compiles a filter, or states its mistake: syntax, unknown fields, types, or a cost above the limits. */
export function compileFilter(text: string, fields: EventFields): CompiledFilter {
  if (text.length > MAX_FILTER_CHARS) return wrong(`is longer than ${MAX_FILTER_CHARS} characters`);
  const environment = environmentOf(fields);
  try {
    const parsed = environment.parse(text);
    const expression = environment.parse(withOwnFunctions(text, parsed.ast));
    const refusal = refused(parsed.ast, { environment, fields }, undefined);
    if (refusal !== undefined) return wrong(refusal);
    const { cost, fallible, ...rates } = costOf(parsed.ast);
    if (cost > MAX_COST) return wrong(`does ${cost} steps for each event, at most ${MAX_COST} are allowed`);
    const { valid, type, error } = expression.check();
    if (!valid) return wrong(wordsOf(error, fields));
    if (type !== 'bool') return wrong(`must be true or false, and is a ${type}`);
    const measured: EventFilter['measured'] = (event) => {
      const { result, work } = metered(rates, () => verdictOf(expression, fields.view(event)));
      return { verdict: result ?? TOO_MUCH, work: work + cost * WORK_PER_STEP + fallible * WORK_PER_ERROR };
    };
    return { ok: true, filter: { measured, test: (event) => measured(event).verdict } };
  } catch (error) {
    if (error instanceof ParseError || error instanceof WrongType) return wrong(wordsOf(error, fields));
    throw error;
  }
}

const TOO_MUCH: FilterVerdict = {
  kind: 'failed',
  detail: 'the filter would read too much of this event',
};

const environments = new WeakMap<EventFields, Environment>();

/** Made once for each event type: declaring its types costs more than compiling a filter. */
function environmentOf(fields: EventFields): Environment {
  let environment = environments.get(fields);
  if (environment === undefined) {
    environment = new Environment({ limits: LIMITS });
    declareFunctions(environment);
    fields.declareIn(environment);
    environments.set(fields, environment);
  }
  return environment;
}

const wrong = (mistake: string): CompiledFilter => ({ ok: false, mistake });

/** Reading a value that the event does not have is an answer, not a failure. */
const LACKING = new Set(['no_such_key', 'index_out_of_bounds']);

function verdictOf(expression: (context: { event: unknown }) => unknown, event: unknown): FilterVerdict {
  try {
    return { kind: expression({ event }) === true ? 'matches' : 'differs' };
  } catch (error) {
    // No other exception of the library may stop the other filters.
    if (!(error instanceof EvaluationError)) return { kind: 'failed', detail: (error as Error).message };
    if (LACKING.has(error.code)) return { kind: 'differs', lacks: error.summary.replace(/^No such key: /, '') };
    return { kind: 'failed', detail: error.summary };
  }
}

function wordsOf(error: ParseError | WrongType | undefined, { names }: EventFields): string {
  const { code, range } = error ?? {};
  const summary = withUsualNames(error?.summary ?? 'is not valid');
  const place = range === undefined ? '' : `at character ${range.start + 1}: `;
  const unknown = code === 'no_such_key' ? /^No such key: (.+)$/.exec(summary)?.[1] : undefined;
  if (unknown !== undefined) return `${place}the event has no "${unknown}" there${suggestion(unknown, [...names])}`;
  if (code === 'unknown_variable') return `${place}${summary}; everything begins with "event."`;
  return `${place}${summary}`;
}

/** Functions whose work is limited by the length of the text. The rest of CEL's library is not available. */
const FUNCTIONS = new Set(['has', 'size', 'int', 'double', 'string']);
const SEARCHES = new Set(['contains', 'startsWith', 'endsWith']);
const METHODS = new Set([...SEARCHES, 'size', 'lowerAscii', 'upperAscii', 'trim']);
const LOOPS = new Set(['all', 'exists', 'exists_one']);

/** The body of a loop. */
interface Loop {
  readonly variable: string;
}

/** In a loop, only parts of the item may be processed: everything else would be processed once for each item. */
function textRefused(name: string, of: ASTNode | undefined, loop: Loop | undefined, at: string): string | undefined {
  let chain = 1;
  let node = of;
  while (node !== undefined) {
    if (node.op === 'rcall') {
      chain++;
      node = node.args[1];
    } else if (node.op === 'call') {
      chain++;
      node = node.args[1][0];
    } else if (node.op === '.' || node.op === '[]') node = node.args[0];
    else break;
  }
  if (chain > MAX_TEXT_CHAIN) return `${at}more than ${MAX_TEXT_CHAIN} functions stand on one another`;
  if (loop === undefined || (node?.op === 'id' && node.args === loop.variable)) return undefined;
  return `${at}in a loop, ${name}() can only be asked of the loop's "${loop.variable}"`;
}

/**
 * @returns `cost`: how many nodes are evaluated; `fallible`: how many of them may end in an error; `perItem`: the most that a loop over an event's list does for one item;
 *   `perChar`: how many functions work through a text once it has been read
 */
function costOf(ast: ASTNode): { cost: number; fallible: number } & WorkRates {
  let perItem = 1;
  let perChar = 1;
  let fallible = 0;
  const count = (node: ASTNode, times = 1): number => {
    if (FALLIBLE.has(node.op)) fallible += times;
    if (node.op === 'rcall' && LOOPS.has(node.args[0])) {
      const [, receiver, given] = node.args;
      const bodies = given.slice(1);
      const items = Math.max(1, writtenItems(receiver));
      const body = bodies.reduce((sum, one) => sum + count(one, items), 1);
      perItem = Math.max(perItem, body);
      // The item is read once, and each function of the loop may process it.
      perChar = Math.max(
        perChar,
        bodies.map(functionsIn).reduce((sum, one) => sum + one, 0),
      );
      return count(receiver) + items * body;
    }
    perChar = Math.max(perChar, chainOf(node));
    return 1 + childrenOf(node).reduce((sum, one) => sum + count(one, times), 0);
  };
  const cost = count(ast);
  return { cost, fallible, perItem, perChar };
}

function functionsIn(node: ASTNode): number {
  const own = node.op === 'rcall' || node.op === 'call' ? 1 : 0;
  return childrenOf(node).reduce((sum, one) => sum + functionsIn(one), own);
}

/** The number of nested function calls, from this node inwards. */
function chainOf(node: ASTNode): number {
  if (node.op === 'rcall') return 1 + chainOf(node.args[1]);
  if (node.op === 'call') return 1 + Math.max(0, ...node.args[1].map(chainOf));
  return 0;
}

/** The items of written lists; those of an event's lists are counted when they are read. */
function writtenItems(node: ASTNode): number {
  const own = node.op === 'list' ? node.args.length : 0;
  return childrenOf(node).reduce((sum, one) => sum + writtenItems(one), own);
}

interface Judging {
  readonly environment: Environment;
  readonly fields: EventFields;
}

/** @returns the first construct that is not supported */
function refused(node: ASTNode, judging: Judging, loop: Loop | undefined): string | undefined {
  const at = `at character ${node.range.start + 1}: `;
  const all = (nodes: readonly ASTNode[], inside = loop) => {
    for (const one of nodes) {
      const refusal = refused(one, judging, inside);
      if (refusal !== undefined) return refusal;
    }
    return undefined;
  };
  switch (node.op) {
    case 'value':
    case 'id':
      return undefined;
    case '.':
      return all([node.args[0]]);
    case '[]':
      if (node.args[1].op !== 'value') return `${at}the index in brackets must be a literal`;
      return all([node.args[0]]);
    case 'call': {
      const [name, given] = node.args;
      if (!FUNCTIONS.has(name)) return `${at}${name}() is not available in filters`;
      if (name === 'has') return unknownInHas(given[0], judging, at);
      return textRefused(name, given[0], loop, at) ?? all(given);
    }
    case 'rcall': {
      const [name, receiver, given] = node.args;
      if (LOOPS.has(name)) {
        if (loop) return `${at}${name}() must not be used inside another loop`;
        const [variable] = given;
        return all([receiver]) ?? all(given.slice(1), { variable: variable?.op === 'id' ? variable.args : '' });
      }
      if (!METHODS.has(name)) return `${at}${name}() is not available in filters`;
      if (SEARCHES.has(name) && given.some(({ op }) => op !== 'value')) {
        return `${at}what ${name}() looks for must be a literal`;
      }
      return textRefused(name, receiver, loop, at) ?? all([receiver, ...given]);
    }
    case '+':
      // For texts or lists, it makes longer ones each time.
      return loop ? `${at}"+" must not be used in a loop` : all(node.args);
    case 'list':
    case '?:':
    case '||':
    case '&&':
      return all(node.args);
    case '!_':
    case '-_':
      return all([node.args]);
    case 'map':
    case '.?':
    case '[?]':
      return `${at}that is not available in filters`;
    default:
      return all(node.args);
  }
}

/** The library accepts any expression in `has()`; a name that no event can have is a mistake. */
function unknownInHas(node: ASTNode | undefined, { environment, fields }: Judging, at: string): string | undefined {
  const path = pathOf(node);
  if (path === undefined) return `${at}has() takes a field, such as has(event.summary)`;
  const { error } = environment.check(path);
  // Otherwise its place in the path would be ambiguous.
  return error === undefined ? undefined : `${at}${wordsOf(error, fields).replace(/^at character \d+: /, '')}`;
}

function pathOf(node: ASTNode | undefined): string | undefined {
  if (node?.op === 'id') return node.args;
  if (node?.op !== '.') return undefined;
  const before = pathOf(node.args[0]);
  return before === undefined ? undefined : `${before}.${node.args[1]}`;
}
