/** Draws the lines of a terminal as an SVG, with colors for light and for dark pages. Pure. */
import type { Color, Run } from './terminal.ts';

export const CHARACTER_WIDTH = 8;
const LINE_HEIGHT = 18;
const MARGIN = 16;
/** The height of the title bar, in pixels. */
const BAR_HEIGHT = 32;

type Palette = Readonly<Record<Color | 'text' | 'back' | 'edge', string>>;
const LIGHT: Palette = {
  ...{ text: '#1f2328', back: '#f6f8fa', edge: '#d0d7de' },
  ...{ red: '#cf222e', green: '#116329', yellow: '#845306', blue: '#0550ae', gray: '#6e7781' },
};
const DARK: Palette = {
  ...{ text: '#e6edf3', back: '#0d1117', edge: '#3d444d' },
  ...{ red: '#ff7b72', green: '#3fb950', yellow: '#d29922', blue: '#58a6ff', gray: '#8b949e' },
};

/** @param title the command, which is also the text alternative of the picture */
export function terminalSvg(lines: readonly (readonly Run[])[], columns: number, title: string): string {
  const width = columns * CHARACTER_WIDTH + 2 * MARGIN;
  const height = BAR_HEIGHT + lines.length * LINE_HEIGHT + 2 * MARGIN;
  const drawn = lines.flatMap((runs, row) => runs.map((run) => drawRun(run, row)));
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img">
<title>${escaped(title)}</title>
<style>
text { font: 13px ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace; white-space: pre }
.bold { font-weight: 700 } .dim { opacity: 0.7 }
${rules(LIGHT)}
@media (prefers-color-scheme: dark) {
${rules(DARK)}
}
</style>
<rect class="window" x="0.5" y="0.5" width="${width - 1}" height="${height - 1}" rx="8"/>
<path class="line" d="M0.5 ${BAR_HEIGHT}.5H${width - 1}"/>
<text class="gray" x="${width / 2}" y="21" text-anchor="middle">${escaped(title)}</text>
${drawn.join('\n')}
</svg>
`;
}

/** `textLength` keeps columns aligned whatever font the reader has. */
function drawRun({ column, text, color, isBold, isDim }: Run, row: number): string {
  const classes = [color, isBold && 'bold', isDim && 'dim'].filter(Boolean).join(' ');
  const x = MARGIN + column * CHARACTER_WIDTH;
  const y = BAR_HEIGHT + MARGIN + row * LINE_HEIGHT + 12;
  const length = [...text].length * CHARACTER_WIDTH;
  const shown = classes === '' ? '' : ` class="${classes}"`;
  return `<text x="${x}" y="${y}" textLength="${length}" lengthAdjust="spacingAndGlyphs"${shown}>${escaped(text)}</text>`;
}

function rules({ text, back, edge, ...colors }: Palette): string {
  const named = Object.entries(colors).map(([name, value]) => `.${name} { fill: ${value} }`);
  return `text { fill: ${text} } .window { fill: ${back}; stroke: ${edge} } .line { stroke: ${edge} }\n${named.join(' ')}`;
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
