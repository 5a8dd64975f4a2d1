/** The content of a terminal after a program has written to it: xterm.js interprets cursor movements and colors. */
import xterm, { type IBufferCell, type IBufferLine } from '@xterm/headless';

const COLORS = ['red', 'green', 'yellow', 'blue', 'gray'] as const;
export type Color = (typeof COLORS)[number];

/** Characters of one line in one style. */
export interface Run {
  /** The first column is 0. */
  readonly column: number;
  readonly text: string;
  readonly color: Color | undefined;
  readonly isBold: boolean;
  readonly isDim: boolean;
}

/** Colors by their number in the ANSI palette. */
const PALETTE: Readonly<Record<number, Color>> = { 1: 'red', 2: 'green', 3: 'yellow', 4: 'blue', 8: 'gray' };
/** The demo prints fewer lines than this, so none scrolls away. */
const MAX_LINES = 1_000;

/** @returns the lines without blank ones at the end, each as its runs without surrounding spaces */
export async function linesOnTerminal(output: string, size: { columns: number; rows: number }): Promise<Run[][]> {
  const { columns: cols, rows } = size;
  const terminal = new xterm.Terminal({ cols, rows, scrollback: MAX_LINES, allowProposedApi: true });
  await new Promise<void>((resolve) => terminal.write(output, resolve));
  const { active } = terminal.buffer;
  const lines = Array.from({ length: active.length }, (_, row) => runsOf(active.getLine(row)));
  terminal.dispose();
  return lines.slice(0, lines.findLastIndex((runs) => runs.length > 0) + 1);
}

function runsOf(line: IBufferLine | undefined): Run[] {
  const runs: Run[] = [];
  for (let column = 0; column < (line?.length ?? 0); column++) {
    const cell = line?.getCell(column);
    if (cell === undefined) continue;
    const style = styleOf(cell);
    const text = cell.getChars() || ' ';
    const last = runs.at(-1);
    if (last !== undefined && isSameStyle(last, style)) runs[runs.length - 1] = { ...last, text: last.text + text };
    else runs.push({ column, text, ...style });
  }
  return runs.flatMap((run) => {
    const text = run.text.trim();
    const indent = run.text.length - run.text.trimStart().length;
    return text === '' ? [] : [{ ...run, text, column: run.column + indent }];
  });
}

type Style = Pick<Run, 'color' | 'isBold' | 'isDim'>;

function styleOf(cell: IBufferCell): Style {
  const color = cell.isFgPalette() ? PALETTE[cell.getFgColor()] : undefined;
  return { color, isBold: cell.isBold() !== 0, isDim: cell.isDim() !== 0 };
}

function isSameStyle(one: Style, other: Style): boolean {
  return one.color === other.color && one.isBold === other.isBold && one.isDim === other.isDim;
}
