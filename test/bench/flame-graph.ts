/** A flame graph as SVG: callers below, callees above, as wide as the time that they took. */
import type { Frame } from './profile.ts';

const WIDTH = 1_200;
const FRAME_HEIGHT = 16;
const CHARACTER_WIDTH = 6.2;
/** What is narrower can't be seen. */
const MIN_WIDTH = 1.5;

export function flameGraph(root: Frame, title: string): string {
  const boxes: string[] = [];
  const depth = depthOf(root, root.totalMicros);
  const height = (depth + 2) * FRAME_HEIGHT;
  const draw = (frame: Frame, x: number, level: number): void => {
    const width = (frame.totalMicros / root.totalMicros) * WIDTH;
    if (width < MIN_WIDTH) return;
    const y = height - (level + 1) * FRAME_HEIGHT;
    const share = `${((100 * frame.totalMicros) / root.totalMicros).toFixed(1)} %`;
    const label = frame.name.slice(0, Math.floor((width - 4) / CHARACTER_WIDTH));
    boxes.push(
      `<g><title>${escaped(`${frame.owner}: ${frame.name}, ${share}`)}</title>` +
        `<rect x="${x.toFixed(1)}" y="${y}" width="${(width - 0.3).toFixed(1)}" height="${FRAME_HEIGHT - 1}" fill="${color(frame.owner)}"/>` +
        (label.length > 2 ? `<text x="${(x + 2).toFixed(1)}" y="${y + 11}">${escaped(label)}</text>` : '') +
        '</g>',
    );
    let childX = x;
    for (const child of frame.children.toSorted((a, b) => b.totalMicros - a.totalMicros)) {
      draw(child, childX, level + 1);
      childX += (child.totalMicros / root.totalMicros) * WIDTH;
    }
  };
  draw(root, 0, 0);
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" font-family="monospace" font-size="10">`,
    `<rect width="${WIDTH}" height="${height}" fill="white"/>`,
    `<text x="4" y="12" font-weight="bold">${escaped(title)}; green: ours, blue: packages, orange: Node, grey: native</text>`,
    ...boxes,
    '</svg>\n',
  ].join('\n');
}

function depthOf(frame: Frame, wholeMicros: number): number {
  if ((frame.totalMicros / wholeMicros) * WIDTH < MIN_WIDTH) return 0;
  return 1 + Math.max(0, ...frame.children.map((child) => depthOf(child, wholeMicros)));
}

function color(owner: string): string {
  if (owner === 'schemas' || owner.startsWith('services/')) return '#a5d6a7';
  if (owner === 'node') return '#ffcc80';
  if (owner === 'native' || owner === 'garbage collector') return '#cfcfcf';
  return '#90caf9';
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
