/**
 * The content filter of a subscription: one CEL expression (cel.dev) over `event`, which is the event in the pinned
 * version of its schema. docs/decisions/content-filter.md says why CEL, and why so much of it and no more.
 */
import { type ASTNode, Environment, EvaluationError, ParseError, TypeError as WrongType } from '@marcbachmann/cel-js';
import type { EventFields } from '../event/event-fields.ts';
import { suggestion } from './issue-words.ts';

export const MAX_FILTER_CHARS = 2_000;

/** Bounds what one evaluation can cost: each node is worked off once, with no more than the event's size in hand. */
const LIMITS = { maxAstNodes: 300, maxDepth: 32, maxListElements: 200, maxMapEntries: 0, maxCallArguments: 3 };

export type FilterVerdict =
  | { readonly kind: 'matches' }
  /** `lacks`: the filter asked for something that the event does not have, and so it does not match. */
  | { readonly kind: 'differs'; readonly lacks?: string }
  /** Nobody can say: a division by zero, a text that is no number. The event must not be lost for it. */
  | { readonly kind: 'failed'; readonly detail: string };

export interface EventFilter {
  /** @param event decoded with the pinned schema, or the JSON document that customers get of it */
  test(event: unknown): FilterVerdict;
}

export type CompiledFilter =
  | { readonly ok: true; readonly filter: EventFilter }
  /** Completes "filter …". */
  | { readonly ok: false; readonly mistake: string };

/** Makes a filter of its text, or says what is wrong with it: syntax, unknown fields, types, what would cost too much. */
export function compileFilter(text: string, fields: EventFields): CompiledFilter {
  if (text.length > MAX_FILTER_CHARS) return wrong(`is longer than ${MAX_FILTER_CHARS} characters`);
  const environment = new Environment({ limits: LIMITS });
  fields.declareIn(environment);
  try {
    const expression = environment.parse(text);
    const refusal = refused(expression.ast, { environment, fields }, false);
    if (refusal !== undefined) return wrong(refusal);
    const { valid, type, error } = expression.check();
    if (!valid) return wrong(wordsOf(error, fields));
    if (type !== 'bool') return wrong(`must be true or false, and is a ${type}`);
    return { ok: true, filter: { test: (event) => verdictOf(expression, fields.view(event)) } };
  } catch (error) {
    if (error instanceof ParseError || error instanceof WrongType) return wrong(wordsOf(error, fields));
    throw error;
  }
}

const wrong = (mistake: string): CompiledFilter => ({ ok: false, mistake });

/** What reads past the event is an answer, not a failure. */
const LACKING = new Set(['no_such_key', 'index_out_of_bounds']);

function verdictOf(expression: (context: { event: unknown }) => unknown, event: unknown): FilterVerdict {
  try {
    return { kind: expression({ event }) === true ? 'matches' : 'differs' };
  } catch (error) {
    // Whatever else a library throws at an event is no reason to stop the others.
    if (!(error instanceof EvaluationError)) return { kind: 'failed', detail: (error as Error).message };
    if (LACKING.has(error.code)) return { kind: 'differs', lacks: error.summary.replace(/^No such key: /, '') };
    return { kind: 'failed', detail: error.summary };
  }
}

function wordsOf(error: ParseError | WrongType | undefined, { names }: EventFields): string {
  const { code, summary = 'is not valid', range } = error ?? {};
  const place = range === undefined ? '' : `at character ${range.start + 1}: `;
  const unknown = code === 'no_such_key' ? /^No such key: (.+)$/.exec(summary)?.[1] : undefined;
  if (unknown !== undefined) return `${place}the event has no "${unknown}" there${suggestion(unknown, [...names])}`;
  if (code === 'unknown_variable') return `${place}${summary}; everything begins with "event."`;
  return `${place}${summary}`;
}

/** Whose work is bounded by the text that they are called on. The rest of CEL's library is left out. */
const FUNCTIONS = new Set(['has', 'size', 'int', 'double', 'string']);
const SEARCHES = new Set(['contains', 'startsWith', 'endsWith']);
const METHODS = new Set([...SEARCHES, 'size', 'lowerAscii', 'upperAscii', 'trim']);
const LOOPS = new Set(['all', 'exists', 'exists_one']);

interface Judging {
  readonly environment: Environment;
  readonly fields: EventFields;
}

/** @returns what is asked for and not to be had, in words */
function refused(node: ASTNode, judging: Judging, isInLoop: boolean): string | undefined {
  const at = `at character ${node.range.start + 1}: `;
  const all = (nodes: readonly ASTNode[], inLoop = isInLoop) => {
    for (const one of nodes) {
      const refusal = refused(one, judging, inLoop);
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
      if (node.args[1].op !== 'value') return `${at}what stands in brackets must be written out`;
      return all([node.args[0]]);
    case 'call': {
      const [name, given] = node.args;
      if (!FUNCTIONS.has(name)) return `${at}${name}() is not available in filters`;
      return name === 'has' ? unknownInHas(given[0], judging, at) : all(given);
    }
    case 'rcall': {
      const [name, receiver, given] = node.args;
      if (LOOPS.has(name)) {
        if (isInLoop) return `${at}${name}() can't stand inside another loop`;
        return all([receiver]) ?? all(given.slice(1), true);
      }
      if (!METHODS.has(name)) return `${at}${name}() is not available in filters`;
      if (SEARCHES.has(name) && given.some(({ op }) => op !== 'value')) {
        return `${at}what ${name}() looks for must be written out`;
      }
      return all([receiver, ...given]);
    }
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

/** The library lets `has()` ask for anything; a name that no event can have is a mistake. */
function unknownInHas(node: ASTNode | undefined, { environment, fields }: Judging, at: string): string | undefined {
  const path = pathOf(node);
  if (path === undefined) return `${at}has() takes a field, such as has(event.summary)`;
  const { error } = environment.check(path);
  // Its place would be one in the path alone.
  return error === undefined ? undefined : `${at}${wordsOf(error, fields).replace(/^at character \d+: /, '')}`;
}

function pathOf(node: ASTNode | undefined): string | undefined {
  if (node?.op === 'id') return node.args;
  if (node?.op !== '.') return undefined;
  const before = pathOf(node.args[0]);
  return before === undefined ? undefined : `${before}.${node.args[1]}`;
}
