/**
 * Functions of filters that replace the CEL library's, whose cost is not limited by the text's length. The library does
 * not allow a function to be replaced, so these have names of their own with the same length, which keeps the positions
 * in messages correct: `Size` for `size`, `Contains` for `contains`.
 */
import type { ASTNode, Environment } from '@marcbachmann/cel-js';

const OWN: ReadonlyMap<string, string> = new Map([
  ['size', 'Size'],
  ['contains', 'Contains'],
]);

export function declareFunctions(environment: Environment): void {
  const sizes: readonly (readonly [string, (value: never) => number])[] = [
    ['string', charactersOf],
    ['bytes', (value: Uint8Array) => value.length],
    ['list', (value: readonly unknown[]) => value.length],
    ['map', (value: ReadonlyMap<unknown, unknown>) => value.size],
  ];
  for (const [kind, sizeOf] of sizes) {
    const size = (value: unknown) => BigInt(sizeOf(value as never));
    environment.registerFunction(`Size(${kind}): int`, size);
    environment.registerFunction(`${kind}.Size(): int`, size);
  }
  environment.registerFunction('string.Contains(string): bool', contains);
}

/** @param ast the parsed `text`; @returns the text with the names of our functions */
export function withOwnFunctions(text: string, ast: ASTNode): string {
  const chars = text.split('');
  const visit = (node: ASTNode): void => {
    const name = node.op === 'call' || node.op === 'rcall' ? node.args[0] : '';
    const own = OWN.get(name);
    if (own !== undefined) {
      const at = node.op === 'rcall' ? text.indexOf(name, node.args[1].range.end) : node.range.start;
      if (text.startsWith(name, at)) chars[at] = own[0] as string;
    }
    childrenOf(node).forEach(visit);
  };
  visit(ast);
  return chars.join('');
}

/** @returns a message of the library with the original names of functions */
export function withUsualNames(message: string): string {
  return [...OWN].reduce((words, [name, own]) => words.replaceAll(`${own}(`, `${name}(`), message);
}

export function childrenOf(node: ASTNode): ASTNode[] {
  const found: ASTNode[] = [];
  const visit = (part: unknown): void => {
    if (Array.isArray(part)) part.forEach(visit);
    else if (typeof part === 'object' && part !== null && 'op' in part) found.push(part as ASTNode);
  };
  visit(node.args);
  return found;
}

/** The size of the latest long text: filters ask for the same one repeatedly. */
let counted = { text: '', characters: 0 };

/** CEL counts characters. The library takes a tenth of a second for a transcript. */
function charactersOf(text: string): number {
  if (counted.text === text) return counted.characters;
  if (!/[\ud800-\udfff]/.test(text)) return text.length;
  let characters = text.length;
  for (let at = 1; at < text.length; at++) {
    const isPair = (text.charCodeAt(at) & 0xfc00) === 0xdc00 && (text.charCodeAt(at - 1) & 0xfc00) === 0xd800;
    if (isPair) characters--;
  }
  if (text.length > 100) counted = { text, characters };
  return characters;
}

/**
 * `String.includes` compares up to this many characters at each position of the text, which costs no more than reading
 * it.
 */
const SHORT = 16;

/** `String.includes` takes 0.7 s to search 1 MB of "a" for "aaa…b…aaa": text length × searched length. */
export function contains(text: string, searched: string): boolean {
  if (searched.length <= SHORT) return text.includes(searched);
  if (searched.length > text.length) return false;
  // Knuth, Morris and Pratt: each character of the text is compared at most twice.
  const borders = bordersOf(searched);
  let matched = 0;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    while (matched > 0 && searched.charCodeAt(matched) !== code) matched = borders[matched - 1] as number;
    if (searched.charCodeAt(matched) === code) matched++;
    if (matched === searched.length) return true;
  }
  return false;
}

/** For each prefix of the searched text, the length of its longest proper prefix that is also its suffix. */
function bordersOf(text: string): Uint16Array {
  const borders = new Uint16Array(text.length);
  let length = 0;
  for (let at = 1; at < text.length; at++) {
    const code = text.charCodeAt(at);
    while (length > 0 && text.charCodeAt(length) !== code) length = borders[length - 1] as number;
    if (text.charCodeAt(length) === code) length++;
    borders[at] = length;
  }
  return borders;
}
