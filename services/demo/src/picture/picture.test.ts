import { readFileSync, statSync } from 'node:fs';
import { CAST } from '../customers/cast.ts';
import { BOXES, STEPS, TITLES, VERDICTS } from '../texts.ts';
import { CHARACTER_WIDTH, terminalSvg } from './svg.ts';
import { linesOnTerminal } from './terminal.ts';

/** The lines that a picture shows, each at its column. */
function linesOf(svg: string): string[] {
  const lines = new Map<string, string>();
  for (const [, x = '', y = '', text = ''] of svg.matchAll(/<text x="(\d+)" y="(\d+)"[^>]*>([^<]*)<\/text>/g)) {
    const column = Number(x) / CHARACTER_WIDTH - 2;
    const plain = text.replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&amp;', '&');
    lines.set(y, `${(lines.get(y) ?? '').padEnd(column)}${plain}`);
  }
  return [...lines.values()];
}

test('a picture shows what is on the terminal in the end: overwritten text is gone, styles and columns remain', async () => {
  const output =
    '\x1b[1mTitle\x1b[22m\r\n  \x1b[33m…\x1b[39m busy\r\x1b[2K  \x1b[32m✔\x1b[39m done <1> & 2  \x1b[2m3 s\x1b[22m\r\n\r\n';
  const lines = await linesOnTerminal(output, { columns: 40, rows: 5 });
  const svg = terminalSvg(lines, 40, 'run');
  expect(linesOf(svg)).toEqual(['Title', '  ✔ done <1> & 2  3 s']);
  expect(svg).toMatch(/class="bold">Title</);
  expect(svg).toMatch(/class="green">✔</);
  expect(svg).toMatch(/class="dim">3 s</);
  expect(svg).not.toContain('busy');
});

describe('docs/demo.svg', () => {
  const file = new URL('../../../../docs/demo.svg', import.meta.url);
  const svg = readFileSync(file, 'utf8');
  const lines = linesOf(svg);

  test('shows the lines that the demo prints today, in their order: else run "npm run demo:picture"', () => {
    const step = (text: string) => `  ✔ ${text} `;
    const { platform, portal, controlPlane, applied, services, disabled, notified, ...rest } = STEPS;
    const expected = [
      TITLES.start,
      ...[platform, portal, controlPlane, applied, services].map(step),
      ...[TITLES.live, TITLES.books],
      ...Object.values(BOXES).map((box, index) => `  ${index === 0 ? '=' : '+'} ${box} `),
      ...[VERDICTS.addsUp, TITLES.notices],
      ...[disabled, notified].map(step),
      TITLES.throughput,
      ...Object.values(rest).map(step),
      VERDICTS.allDelivered,
    ];
    let row = -1;
    const missing = expected.filter((text) => {
      const next = lines.findIndex((line, at) => at > row && (line === text || ` ${line} `.includes(text)));
      if (next > row) row = next;
      return next < 0;
    });
    expect(missing).toEqual([]);
  });

  test.each(CAST)('shows the row of $customer in the table', ({ customer, events }) => {
    expect(lines).toContainEqual(expect.stringMatching(new RegExp(`^  │ ${customer} +│ +${events} │`)));
  });

  test('shows neither a path of a machine nor a code to sign in, and stays small', () => {
    expect(svg).not.toMatch(/\/(home|root|Users|tmp|work|var)\/|dbl_\w/);
    const hosts = new Set([...svg.matchAll(/https?:\/\/([^/:\s"]+)/g)].map(([, host]) => host));
    expect([...hosts].sort()).toEqual(['127.0.0.1', 'www.w3.org']);
    expect(statSync(file).size).toBeLessThan(40_000);
  });
});
