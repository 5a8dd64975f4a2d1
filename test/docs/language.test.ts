/**
 * Plain technical English in what people read: documents, messages, logs, help and comments. These idioms were used in
 * this codebase, and readers stumbled over them. Each has a standard term, which is given beside it.
 */
import { globSync, readFileSync } from 'node:fs';

const root = new URL('../../', import.meta.url).pathname;

const BANNED: readonly (readonly [idiom: RegExp, instead: string])[] = [
  [/\bin vain\b/, 'without success, timed out, empty'],
  [/\bso many\b(?! (of the|that|as))/, 'this many; at most N; the number of'],
  [/\b(fault|bug|mistake|topic|token|trouble|header)s? of ours\b/, 'internal error; our own …'],
  [/\bour own fault\b/, 'internal error; a failure of our infrastructure'],
  [/\bnobody's (business|fault)\b/, 'say who must not learn it, or what the cause is'],
  [/\bstands? (under|for|in|at|there|before|beside)\b/, 'is in, is under, means, represents'],
  [/\b(is|are|was|were|be) told\b(?! apart)/, 'is notified, is reported, is announced'],
  [/\b(can't|can|could|to|may) be had\b/, 'is available'],
  [/\bnought\b/, 'zero'],
  [/\brefused in words\b|, in words\b/, 'with a message that …'],
  [/\bcarried on\b/, 'resumed, continued'],
  [/\bfor good\b/, 'permanently; discarded'],
  [/\b(good|bad) days\b/, 'when it works, when it fails'],
  [
    /\bwhat is done waits for company\b|\bnot as you think\b|\bnot as wanted\b|\bfailed by a fault\b/,
    'see docs/glossary.md',
  ],
  [/\baloud\b|\bof its own accord\b|\bat leisure\b/, 'say it plainly'],
];

const documents = globSync('{README,ARCHITECTURE,CONTRIBUTING,SECURITY}.md', { cwd: root });
const pages = globSync('{docs,schemas/src,services/*/src}/**/*.md', { cwd: root });
const sources = globSync('{schemas,services/*}/src/**/*.{ts,tsx}', { cwd: root }).filter(
  // The pinned schemas are a contract: their words change with their version only.
  (file) => !/\.test\.tsx?$|\/pinned-schemas\.ts$/.test(file),
);

/** Idioms that are split by the end of a line count as well. */
const proseOf = (text: string) => text.replace(/\s*\n\s*(?:\*|\/\/)?\s*/g, ' ');

test('no document, message or comment uses an idiom of our own', () => {
  const found: string[] = [];
  for (const file of [...documents, ...pages, ...sources]) {
    const text = proseOf(readFileSync(root + file, 'utf8'));
    for (const [idiom, instead] of BANNED) {
      const match = idiom.exec(text);
      if (match === null) continue;
      const around = text.slice(Math.max(0, match.index - 40), match.index + 50).trim();
      found.push(`${file}: "…${around}…": instead of "${match[0]}" write: ${instead}`);
    }
  }
  expect(found).toEqual([]);
});
