import { Lexer, Parser } from 'yaml';

/** The parser composes a document level by level, and a document can be nested deeper than the stack is. */
export const MAX_YAML_DEPTH = 64;

/**
 * Where YAML text is nested too deeply. The parser is fed token by token, and what it has open is looked at after each.
 * @returns the offset in the text; undefined if it is not
 */
export function tooDeepYamlAt(text: string): number | undefined {
  const parser = new Parser();
  for (const lexeme of new Lexer().lex(text)) {
    for (const _ of parser.next(lexeme));
    // The document itself, and for each level a collection; its scalar is the last.
    if (parser.stack.length > MAX_YAML_DEPTH + 2) return parser.offset;
  }
  return undefined;
}
