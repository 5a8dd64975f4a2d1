/** An SVG of how much of each target is reached, one bar a measure, with the line that they have to reach. */
import { format, formatTarget, type Measure, median, reached } from './measure.ts';

const WIDTH = 900;
const LABEL_WIDTH = 400;
const VALUE_WIDTH = 170;
const BAR_HEIGHT = 16;
const ROW_HEIGHT = 26;
const TOP = 44;
/** Bars end here; what is better by more looks the same. */
const MOST_SHOWN = 3;
const TICKS = [0, 0.5, 1, 2, 3];

export function plot(measures: readonly Measure[]): string {
  const bars = measures.flatMap((measure) => {
    const share = reached(measure);
    return share === undefined ? [] : [{ measure, share }];
  });
  const height = TOP + bars.length * ROW_HEIGHT + 30;
  const parts = [
    text(
      12,
      24,
      'How much of each target is reached (median; whiskers: the spread over the rounds)',
      'font-weight="bold"',
    ),
    ...TICKS.flatMap((tick) => axis(tick, height)),
    ...bars.flatMap(({ measure, share }, at) => bar(measure, share, TOP + at * ROW_HEIGHT)),
  ];
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" font-family="sans-serif" font-size="12">`,
    `<rect width="${WIDTH}" height="${height}" fill="white"/>`,
    ...parts,
    '</svg>\n',
  ].join('\n');
}

function xOf(share: number): number {
  const width = WIDTH - LABEL_WIDTH - VALUE_WIDTH;
  return Math.round(LABEL_WIDTH + (Math.min(share, MOST_SHOWN) / MOST_SHOWN) * width);
}

function axis(tick: number, height: number): string[] {
  const x = xOf(tick);
  const isTarget = tick === 1;
  const stroke = isTarget ? 'stroke="black" stroke-width="2"' : 'stroke="#cccccc"';
  const label = isTarget ? 'target' : `${tick} ×`;
  return [
    `<line x1="${x}" y1="${TOP - 6}" x2="${x}" y2="${height - 24}" ${stroke}/>`,
    text(x, height - 8, label, 'text-anchor="middle"'),
  ];
}

function bar(measure: Measure, share: number, y: number): string[] {
  const { row, name, unit, values, target } = measure;
  const fill = share >= 1 ? '#2e7d32' : share >= 0.5 ? '#f9a825' : '#c62828';
  const ends = values.map((value) => xOf(reached({ values: [value], ...(target && { target }) }) ?? 0));
  const middle = y + BAR_HEIGHT / 2;
  const whisker =
    values.length < 2
      ? []
      : [`<line x1="${Math.min(...ends)}" y1="${middle}" x2="${Math.max(...ends)}" y2="${middle}" stroke="black"/>`];
  return [
    text(LABEL_WIDTH - 8, y + 12, `${row}: ${name}`.slice(0, 66), 'text-anchor="end"'),
    `<rect x="${LABEL_WIDTH}" y="${y}" width="${Math.max(1, xOf(share) - LABEL_WIDTH)}" height="${BAR_HEIGHT}" fill="${fill}"/>`,
    ...whisker,
    text(WIDTH - VALUE_WIDTH + 8, y + 12, `${format(median(values))} ${unit} (${formatTarget(target)})`),
  ];
}

function text(x: number, y: number, content: string, attributes = ''): string {
  const escaped = content.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
  return `<text x="${x}" y="${y}" ${attributes}>${escaped}</text>`;
}
