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
  [/\banew\b/, 'again, restarted, replaced, from 1'],
  [/\bwhoever\b/i, 'anyone who, the caller, the person who'],
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

const tests = globSync('{schemas,services/*,test,deploy/*}/**/*.{test,fault}.ts', {
  cwd: root,
  exclude: (path) => path.includes('node_modules'),
});

test('no title of a test uses an idiom of our own', () => {
  const titles = tests.flatMap((file) => {
    const found = readFileSync(root + file, 'utf8').matchAll(/^\s*(?:test|describe)(?:\.each.*)?\(\s*(['`].*['`])/gm);
    return [...found].map(([, title = '']) => ({ file, title }));
  });
  expect(titles.length).toBeGreaterThan(1_000);
  const found = titles.flatMap(({ file, title }) =>
    BANNED.flatMap(([idiom, instead]) => {
      const match = idiom.exec(title);
      return match === null ? [] : [`${file}: ${title}: instead of "${match[0]}" write: ${instead}`];
    }),
  );
  expect(found).toEqual([]);
});

/** What others call ideas of the glossary; one word each is enough. */
const SYNONYMS: readonly (readonly [synonym: RegExp, word: string])[] = [
  [/\bDLQs?\b|\bdead[- ]letter queues?\b/i, 'dead letter, dead-letter topic'],
  [/\bpoison (message|record)s?\b/i, 'quarantine'],
  [/\bsubscribers?\b/i, 'customer'],
  [/\bwebhook ids?\b/i, 'event id'],
  [/\bdeactivated?\b/i, 'disabled'],
  [/\b(un)?paused subscriptions?\b/i, 'paused customer'],
];

test('the glossary has one row for each word, in order, and documents use it', () => {
  const rows = readFileSync(`${root}docs/glossary.md`, 'utf8').matchAll(/^\| ([^|]+) \| ([^|]+) \|$/gm);
  const words = [...rows].map(([, word = '']) => word).slice(2);
  expect(words.length).toBeGreaterThan(30);
  expect(words).toEqual([...new Set(words)].toSorted((a, b) => (a < b ? -1 : 1)));
  const prose = [...documents, ...pages].filter((file) => file !== 'docs/glossary.md');
  const text = prose.map((file) => readFileSync(root + file, 'utf8').toLowerCase()).join(' ');
  expect(words.filter((word) => !text.includes(word.toLowerCase()))).toEqual([]);
});

test('documents use the words of the glossary, and no synonyms of theirs', () => {
  const found = [...documents, ...pages].flatMap((file) => {
    const text = proseOf(readFileSync(root + file, 'utf8'));
    return SYNONYMS.flatMap(([synonym, word]) => {
      const match = synonym.exec(text);
      return match === null ? [] : [`${file}: "${match[0]}"; the glossary's word is: ${word}`];
    });
  });
  expect(found).toEqual([]);
});
