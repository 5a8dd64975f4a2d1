/** Messages for validation mistakes, which complete "`<place>` …": is missing, must be a string, is not known. */
import type { z } from 'zod';

export interface Issue {
  readonly path: (string | number)[];
  readonly message: string;
}

/** An error map for zod. Never quotes the input: it may be a secret. */
export function inWords(issue: z.core.$ZodRawIssue): string | undefined {
  switch (issue.code) {
    case 'invalid_type':
      return issue.input === undefined ? 'is missing' : `must be ${named(issue.expected)}, not ${kindOf(issue.input)}`;
    case 'invalid_value':
      return issue.input === undefined ? 'is missing' : `must be ${issue.values.map(String).join(' or ')}`;
    case 'invalid_union':
      return inUnion(issue);
    case 'too_small':
      return `must be ${issue.inclusive ? 'at least' : 'more than'} ${issue.minimum}${measure(issue.origin)}`;
    case 'too_big':
      return `must be ${issue.inclusive ? 'at most' : 'less than'} ${issue.maximum}${measure(issue.origin)}`;
    case 'unrecognized_keys':
      return issue.keys.map((key) => `is not known${suggestion(key, knownKeys(issue.inst))}`).join('\n');
    case 'invalid_key':
      return issue.issues.map(({ message }) => message).join('; ');
    default:
      return undefined;
  }
}

/** Several mistakes get an issue each: several unknown keys are several mistakes, each at its own place. */
export function issuesOf(error: z.ZodError): Issue[] {
  return flattened(error.issues);
}

function flattened(issues: readonly z.core.$ZodIssue[], around: Issue['path'] = []): Issue[] {
  return issues.flatMap((issue) => {
    const path = [...around, ...issue.path.map((part) => (typeof part === 'symbol' ? String(part) : part))];
    const branch = issue.code === 'invalid_union' ? intended(issue) : undefined;
    if (branch !== undefined) return flattened(branch, path);
    if (issue.code !== 'unrecognized_keys') return [{ path, message: issue.message }];
    const messages = issue.message.split('\n');
    return issue.keys.map((key, index) => ({ path: [...path, key], message: messages[index] ?? 'is not known' }));
  });
}

/** For a union: the one alternative that is of the given kind, whose mistakes are those of the person. */
function intended({ errors }: z.core.$ZodIssueInvalidUnion): readonly z.core.$ZodIssue[] | undefined {
  const near = errors.filter((branch) => !branch.some(({ path, code }) => path.length === 0 && OF_KIND.has(code)));
  return near.length === 1 ? near[0] : undefined;
}
const OF_KIND = new Set(['invalid_type', 'invalid_value', 'invalid_union']);

/** `; did you mean "timeoutMs"?`, or nothing if no known word is similar. */
export function suggestion(word: string, known: readonly string[]): string {
  // A longer word may have more typing mistakes; a short one with three is another word.
  const limit = Math.min(3, Math.floor((word.length + 1) / 3));
  let nearest = word.length < 3 ? undefined : known.find((candidate) => candidate.startsWith(word));
  let least = limit + 1;
  for (const candidate of known) {
    if (Math.abs(candidate.length - word.length) >= least) continue;
    const count = slipsBetween(word.toLowerCase(), candidate.toLowerCase());
    if (count < least) [nearest, least] = [candidate, count];
  }
  return nearest === undefined ? '' : `; did you mean "${nearest}"?`;
}

/** Levenshtein's distance: the number of letters to insert, delete or replace. */
function slipsBetween(a: string, b: string): number {
  let above = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row++) {
    const current = [row];
    for (let column = 1; column <= b.length; column++) {
      const replaced = (above[column - 1] as number) + (a[row - 1] === b[column - 1] ? 0 : 1);
      current.push(Math.min(replaced, (above[column] as number) + 1, (current[column - 1] as number) + 1));
    }
    above = current;
  }
  return above[b.length] as number;
}

const NAMES: Readonly<Record<string, string>> = {
  string: 'a string',
  int: 'a whole number',
  number: 'a number',
  boolean: 'true or false',
  array: 'a list',
  object: 'a map of settings',
  record: 'a map',
};
const named = (type: string) => NAMES[type] ?? type;

function kindOf(input: unknown): string {
  if (input === null) return 'empty';
  if (Array.isArray(input)) return 'a list';
  if (typeof input === 'object') return 'a map';
  if (typeof input === 'number' && !Number.isFinite(input)) return String(input);
  if (typeof input === 'number' && !Number.isInteger(input)) return 'a fraction';
  return named(typeof input);
}

const measure = (origin: string) => (origin === 'string' ? ' characters long' : origin === 'array' ? ' values' : '');

function inUnion(issue: z.core.$ZodRawIssue<z.core.$ZodIssueInvalidUnion>): string | undefined {
  const { discriminator, options } = issue as { discriminator?: string; options?: readonly unknown[] };
  if (discriminator === undefined || options === undefined) return undefined;
  const given = (issue.input as Record<string, unknown> | undefined)?.[discriminator];
  return given === undefined ? 'is missing' : `must be ${options.map(String).join(' or ')}`;
}

function knownKeys(inst: unknown): string[] {
  const shape = (inst as { _zod?: { def?: { shape?: object } } } | undefined)?._zod?.def?.shape;
  return Object.keys(shape ?? {});
}
