/**
 * The subscriptions file: YAML, one list under `subscriptions`. Every mistake is found in one reading and named by
 * its place, so that a person mends the file once.
 */
import { type Issue, suggestion } from '@databridge/schemas/subscription/issue-words';
import { isSecretPath } from '@databridge/schemas/subscription/secret-places';
import { parseSubscription, type Subscription } from '@databridge/schemas/subscription/subscription';
import { type Document, isAlias, isMap, isScalar, isSeq, LineCounter, type Node, parseDocument } from 'yaml';

/** What the file may leave to what already stands: an operator may have paused a customer since. */
export const KEPT_SETTINGS = ['state', 'enableEpoch'] as const satisfies readonly (keyof Subscription)[];
export type KeptSetting = (typeof KEPT_SETTINGS)[number];

export interface FileSubscription {
  /** Defaults filled in; secrets in plain text. */
  readonly subscription: Subscription;
  /** The settings of {@link KEPT_SETTINGS} that the file itself gives. */
  readonly sets: readonly KeptSetting[];
}

/** Line and column count from 1. */
export interface FileMistake {
  readonly line: number;
  readonly column: number;
  readonly message: string;
}

export type ParsedFile =
  | { readonly ok: true; readonly subscriptions: readonly FileSubscription[] }
  | { readonly ok: false; readonly mistakes: readonly FileMistake[] };

type Path = readonly (string | number)[];
type Report = (offset: number, message: string) => void;

/** What else may be wrong with a subscription that is valid by itself. */
export type Check = (subscription: Subscription) => readonly Issue[];

/**
 * @param env where `${NAME}`, as the whole of a secret, is looked up: secrets then need not stand in the file
 */
export function parseSubscriptionFile(
  text: string,
  env: Readonly<Record<string, string | undefined>>,
  check: Check = () => [],
): ParsedFile {
  const lineCounter = new LineCounter();
  const document = parseDocument(text, { lineCounter, prettyErrors: false, logLevel: 'error' });
  const mistakes: FileMistake[] = [];
  const report: Report = (offset, message) => {
    const { line, col } = lineCounter.linePos(offset);
    mistakes.push({ line: Math.max(line, 1), column: Math.max(col, 1), message });
  };

  for (const error of document.errors) report(error.pos[0], inPlainWords(error.message));
  // What a broken document seems to hold is guesswork: its syntax first.
  const subscriptions = mistakes.length === 0 ? readSubscriptions(document, env, check, report) : [];
  if (mistakes.length === 0) return { ok: true, subscriptions };
  mistakes.sort((a, b) => a.line - b.line || a.column - b.column);
  return { ok: false, mistakes };
}

/** `subscriptions.yaml:7:12: destination.url is not a URL`, one a line. */
export function formatMistakes(file: string, mistakes: readonly FileMistake[]): string {
  return mistakes.map(({ line, column, message }) => `${file}:${line}:${column}: ${message}`).join('\n');
}

function readSubscriptions(
  document: Document,
  env: Readonly<Record<string, string | undefined>>,
  check: Check,
  report: Report,
): FileSubscription[] {
  const root = toPlain(document, report);
  if (root === undefined) return [];
  if (!isPlainMap(root)) {
    report(placeOf(document, []), 'the file must be a map with the one key "subscriptions", a list');
    return [];
  }
  for (const key of Object.keys(root).filter((name) => name !== 'subscriptions')) {
    report(keyPlaceOf(document, [key]), `"${key}" is not known${suggestion(key, ['subscriptions'])}`);
  }
  const list = root['subscriptions'];
  if (!Array.isArray(list) || list.length === 0) {
    report(placeOf(document, ['subscriptions']), '"subscriptions" must be a list of at least one subscription');
    return [];
  }

  const found: FileSubscription[] = [];
  const firstIndexes = new Map<string, number>();
  for (const [index, given] of list.entries()) {
    const one = readSubscription(document, index, given, env, check, report);
    const customer: unknown = isPlainMap(given) ? given['customer'] : undefined;
    if (typeof customer === 'string') {
      const first = firstIndexes.get(customer);
      const place = placeOf(document, ['subscriptions', index, 'customer']);
      if (first === undefined) firstIndexes.set(customer, index);
      else report(place, `customer "${customer}" stands in the file twice: also as number ${first + 1} of the list`);
    }
    if (one !== undefined) found.push(one);
  }
  return found;
}

function readSubscription(
  document: Document,
  index: number,
  given: unknown,
  env: Readonly<Record<string, string | undefined>>,
  check: Check,
  report: Report,
): FileSubscription | undefined {
  const at: Path = ['subscriptions', index];
  const customer =
    isPlainMap(given) && typeof given['customer'] === 'string' ? ` (customer "${given['customer']}")` : '';
  const unset = new Set<string>();
  const filledIn = fillIn(given, [], (name, path) => {
    const value = env[name];
    if (value !== undefined && value !== '') return value;
    unset.add(path.join('.'));
    report(placeOf(document, [...at, ...path]), `${path.join('.')}: the variable ${name} is not set${customer}`);
    return undefined;
  });

  const parsed = parseSubscription(filledIn);
  const issues = parsed.ok ? check(parsed.subscription) : parsed.issues;
  if (parsed.ok && issues.length === 0) {
    const sets = KEPT_SETTINGS.filter((name) => isPlainMap(given) && given[name] !== undefined);
    return unset.size === 0 ? { subscription: parsed.subscription, sets } : undefined;
  }
  for (const { path, message } of issues) {
    const where = path.join('.');
    if (unset.has(where)) continue;
    const isAboutKey = message.startsWith('is not known') || message.startsWith('is set by');
    const place = isAboutKey ? keyPlaceOf(document, [...at, ...path]) : placeOf(document, [...at, ...path]);
    report(place, `${where === '' ? 'a subscription' : where} ${message}${customer}`);
  }
  return undefined;
}

/** Puts variables in the place of `${NAME}`, in secrets only: elsewhere the text means itself. */
function fillIn(value: unknown, path: Path, lookUp: (name: string, path: Path) => string | undefined): unknown {
  if (typeof value === 'string' && isSecretPath(path)) {
    const name = /^\$\{([A-Za-z_]\w*)\}$/.exec(value)?.[1];
    return name === undefined ? value : (lookUp(name, path) ?? value);
  }
  if (Array.isArray(value)) return value.map((one, index) => fillIn(one, [...path, index], lookUp));
  if (!isPlainMap(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, fillIn(one, [...path, key], lookUp)]));
}

function toPlain(document: Document, report: Report): unknown {
  if (document.contents === null) {
    report(0, 'the file is empty; it needs a list under "subscriptions"');
    return undefined;
  }
  try {
    const value: unknown = document.toJS({ maxAliasCount: 100 });
    JSON.stringify(value);
    return value;
  } catch {
    // JSON.stringify finds what holds itself; the YAML parser, aliases that would grow without bound.
    report(0, 'the file uses anchors that hold themselves, or too many aliases');
    return undefined;
  }
}

const isPlainMap = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

interface Step {
  readonly key: Node | undefined;
  readonly value: Node | undefined;
}

/** Where the value stands; of what is missing or empty, the nearest thing around it that is there. */
function placeOf(document: Document, path: Path): number {
  const steps = walk(document, path);
  for (const { key, value } of steps.toReversed()) {
    const isThere = value?.range && !(isScalar(value) && value.value === null && value.source !== 'null');
    if (isThere) return value.range?.[0] ?? 0;
    if (key?.range) return key.range[0];
  }
  return 0;
}

function keyPlaceOf(document: Document, path: Path): number {
  const steps = walk(document, path);
  const last = steps.at(-1);
  return steps.length === path.length + 1 && last?.key?.range ? last.key.range[0] : placeOf(document, path);
}

/** The nodes along a path, as far as it goes; the root first. */
function walk(document: Document, path: Path): Step[] {
  const steps: Step[] = [{ key: undefined, value: document.contents ?? undefined }];
  for (const part of path) {
    const around = steps.at(-1)?.value;
    const node = isAlias(around) ? around.resolve(document) : around;
    const next = isMap(node) ? inMap(node.items, String(part)) : isSeq(node) ? inList(node.items, part) : undefined;
    if (next === undefined) break;
    steps.push(next);
  }
  return steps;
}

function inMap(pairs: readonly { key: unknown; value: unknown }[], name: string): Step | undefined {
  const pair = pairs.find(({ key }) => isScalar(key) && String(key.value) === name);
  return pair && { key: pair.key as Node, value: (pair.value ?? undefined) as Node | undefined };
}

function inList(items: readonly unknown[], index: string | number): Step | undefined {
  const value = items[Number(index)];
  return value === undefined ? undefined : { key: undefined, value: value as Node };
}

/** The parser's messages are for programmers of parsers; those that people meet daily get better ones. */
function inPlainWords(message: string): string {
  if (message.includes('Map keys must be unique')) return 'the same key stands twice in one map';
  if (message.includes('Tabs are not allowed')) return 'indent with spaces: YAML does not allow tabs';
  return `is not YAML: ${message}`;
}
