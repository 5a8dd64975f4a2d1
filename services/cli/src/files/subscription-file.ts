/**
 * The subscriptions file: YAML, one list under `subscriptions`. Every mistake is found in one reading and named by
 * its line and column, so that a person corrects the file once.
 */
import { type Issue, suggestion } from '@databridge/schemas/subscription/issue-words';
import { isSecretPath } from '@databridge/schemas/subscription/secret-places';
import {
  type ContentCheck,
  parseSubscriptionForm,
  type Subscription,
} from '@databridge/schemas/subscription/subscription-form';
import { type Document, isAlias, isMap, isScalar, isSeq, LineCounter, type Node, parseDocument, visit } from 'yaml';
import { fillIn } from './variables.ts';
import { MAX_YAML_DEPTH, tooDeepYamlAt } from './yaml-depth.ts';

/** The fields that a file may leave to the stored subscription: an operator may have paused a customer since. */
const KEPT_SETTINGS = ['state', 'enableEpoch'] as const satisfies readonly (keyof Subscription)[];
export type KeptSetting = (typeof KEPT_SETTINGS)[number];

export interface FileSubscription {
  /** Defaults filled in; secrets in plain text. */
  readonly subscription: Subscription;
  /** The settings of {@link KEPT_SETTINGS} that the file itself gives. */
  readonly sets: readonly KeptSetting[];
  /** A mistake that was found later, by the API or in comparison with other files, at its place in this file. */
  mistakeAt(path: Path, message: string): FileMistake;
}

/** Line and column count from 1. */
export interface FileMistake {
  readonly line: number;
  readonly column: number;
  readonly message: string;
}

/** One with mistakes: the API is shown it all the same, for those that only it can find. */
export interface DoubtfulSubscription extends Pick<FileSubscription, 'mistakeAt'> {
  readonly customer: string;
  /** As the file says it, variables filled in. */
  readonly body: unknown;
}

/** Everything in it that can be used, beside every mistake: later checks of the one then come in the same round. */
export interface ParsedFile {
  readonly subscriptions: readonly FileSubscription[];
  readonly doubtful: readonly DoubtfulSubscription[];
  readonly mistakes: readonly FileMistake[];
}

export type Path = readonly (string | number)[];
type Report = (offset: number, message: string) => void;

interface Reading {
  readonly document: Document;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly contentOf: ContentCheck;
  readonly report: Report;
  readonly mistakeOf: (offset: number, message: string) => FileMistake;
  readonly doubt: (one: DoubtfulSubscription) => void;
}

/** @param env where `${NAME}` in any text is looked up: secrets then need not be in the file */
export function parseSubscriptionFile(
  text: string,
  env: Readonly<Record<string, string | undefined>>,
  contentOf: ContentCheck,
): ParsedFile {
  const tooDeepAt = tooDeepYamlAt(text);
  if (tooDeepAt !== undefined) {
    const lines = text.slice(0, tooDeepAt).split('\n');
    const message = `the file is nested deeper than ${MAX_YAML_DEPTH} levels`;
    return {
      subscriptions: [],
      doubtful: [],
      mistakes: [{ line: lines.length, column: (lines.at(-1)?.length ?? 0) + 1, message }],
    };
  }
  const lineCounter = new LineCounter();
  const document = parseDocument(text, { lineCounter, prettyErrors: false, logLevel: 'error', merge: true });
  const mistakes: FileMistake[] = [];
  const mistakeOf = (offset: number, message: string): FileMistake => {
    const { line, col } = lineCounter.linePos(offset);
    return { line: Math.max(line, 1), column: Math.max(col, 1), message };
  };
  const report: Report = (offset, message) => mistakes.push(mistakeOf(offset, message));

  // What the parser only warns of, an unknown tag such as `!secret`, would be taken for plain text.
  for (const one of [...document.errors, ...document.warnings]) report(one.pos[0], inPlainWords(one.message));
  // The content of a document whose syntax is broken is guesswork, unless only a key stands twice.
  const isReadable = document.errors.every(({ code }) => code === 'DUPLICATE_KEY');
  const doubtful: DoubtfulSubscription[] = [];
  const reading = {
    document,
    env,
    contentOf,
    report,
    mistakeOf,
    doubt: (one: DoubtfulSubscription) => void doubtful.push(one),
  };
  const subscriptions = isReadable ? readSubscriptions(reading) : [];
  return { subscriptions, doubtful, mistakes: mistakes.sort(byPlace) };
}

export const byPlace = (a: FileMistake, b: FileMistake): number => a.line - b.line || a.column - b.column;

/** `subscriptions.yaml:7:12: destination.url is not a URL`, one a line. */
export function formatMistakes(file: string, mistakes: readonly FileMistake[]): string {
  return mistakes.map(({ line, column, message }) => `${file}:${line}:${column}: ${message}`).join('\n');
}

function readSubscriptions(reading: Reading): FileSubscription[] {
  const { document, report } = reading;
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
    const one = readSubscription(reading, index, given);
    const customer: unknown = isPlainMap(given) ? given['customer'] : undefined;
    if (typeof customer === 'string') {
      const first = firstIndexes.get(customer);
      const place = placeOf(document, ['subscriptions', index, 'customer']);
      if (first === undefined) firstIndexes.set(customer, index);
      else report(place, `customer "${customer}" is in the file twice: also as number ${first + 1} of the list`);
    }
    if (one !== undefined) found.push(one);
  }
  return found;
}

function readSubscription(reading: Reading, index: number, given: unknown): FileSubscription | undefined {
  const { document, env, contentOf, report, mistakeOf, doubt } = reading;
  const at: Path = ['subscriptions', index];
  const name = isPlainMap(given) && typeof given['customer'] === 'string' ? given['customer'] : undefined;
  const customer = name === undefined ? '' : ` (customer "${name}")`;
  const place = (path: Path, message: string): number =>
    /^(is not known|is set by|must not be)/.test(message) && path.length > 0
      ? keyPlaceOf(document, [...at, ...path])
      : placeOf(document, [...at, ...path]);
  const words = (path: Path, message: string): string =>
    `${path.length === 0 ? 'a subscription' : path.join('.')} ${message}${customer}`;

  const unfilled = new Set<string>();
  const filledIn = filled(given, [], (text, path) => {
    const { text: result, mistakes } = fillIn(text, env, isSecretPath(path));
    for (const mistake of mistakes) {
      const place = path.join('.');
      unfilled.add(place);
      report(
        placeOf(document, [...at, ...path]),
        `${place}${mistake.startsWith('is ') ? '' : ':'} ${mistake}${customer}`,
      );
    }
    return result;
  });

  const parsed = parseSubscriptionForm(filledIn, contentOf);
  const issues: readonly Issue[] = parsed.ok ? [] : parsed.issues;
  for (const { path, message } of issues) {
    if (unfilled.has(path.join('.'))) continue;
    report(place(path, message), words(path, message));
  }
  const mistakeAt = (path: Path, message: string) => mistakeOf(place(path, message), words(path, message));
  if (!parsed.ok || unfilled.size > 0) {
    if (name !== undefined) doubt({ customer: name, body: filledIn, mistakeAt });
    return undefined;
  }
  return {
    subscription: parsed.subscription,
    sets: KEPT_SETTINGS.filter((setting) => isPlainMap(given) && given[setting] !== undefined),
    mistakeAt,
  };
}

/** Fills every string value of a document, at any depth; keys are left as they are. */
function filled(value: unknown, path: Path, fill: (text: string, path: Path) => string): unknown {
  if (typeof value === 'string') return fill(value, path);
  if (Array.isArray(value)) return value.map((one, index) => filled(one, [...path, index], fill));
  if (!isPlainMap(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, filled(one, [...path, key], fill)]));
}

/**
 * Uses of one anchor, times those inside it: this many customers may share settings, but no file grows without bound.
 */
const MAX_ALIASES = 10_000;

function toPlain(document: Document, report: Report): unknown {
  if (document.contents === null) {
    report(0, 'the file is empty; it needs a list under "subscriptions"');
    return undefined;
  }
  try {
    const value: unknown = document.toJS({ maxAliasCount: MAX_ALIASES });
    JSON.stringify(value);
    return value;
  } catch {
    const dangling = danglingAliases(document);
    for (const { at, name } of dangling) report(at, `*${name} names no anchor: there is no &${name} before it`);
    if (dangling.length > 0) return undefined;
    // JSON.stringify finds what holds itself; the YAML parser, aliases that would grow without bound.
    report(0, 'the file has an anchor that contains itself, or too many aliases');
    return undefined;
  }
}

/** In one pass, in the order of the document: to have each alias resolved would take the square of its length. */
function danglingAliases(document: Document): { at: number; name: string }[] {
  const anchors = new Set<string>();
  const found: { at: number; name: string }[] = [];
  visit(document, {
    Node(_key, node) {
      if (!isAlias(node)) {
        if (node.anchor !== undefined) anchors.add(node.anchor);
      } else if (!anchors.has(node.source)) found.push({ at: node.range?.[0] ?? 0, name: node.source });
    },
  });
  return found;
}

const isPlainMap = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

interface Step {
  readonly key: Node | undefined;
  readonly value: Node | undefined;
}

/** Returns the position of the value; of a missing or empty value, that of the nearest value around it. */
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
  if (message.includes('Map keys must be unique')) return 'the same key is twice in one map';
  if (message.includes('Tabs are not allowed')) return 'indent with spaces: YAML does not allow tabs';
  if (message.includes('multiple documents'))
    return 'the file contains several documents: put all under one "subscriptions"';
  const [, tag] = /^Unresolved tag: (.+)$/.exec(message) ?? [];
  if (tag !== undefined) return `the tag ${tag} is not known: write ${'${NAME}'} for a variable of the environment`;
  return `is not YAML: ${message}`;
}
