/** What a CPU profile of V8 says: where the time goes, as tables and as a flame graph. Pure. */

/** As `node --cpu-prof` writes it (Chrome DevTools protocol, Profiler.Profile). */
export interface CpuProfile {
  readonly nodes: readonly {
    readonly id: number;
    readonly callFrame: { readonly functionName: string; readonly url: string; readonly lineNumber: number };
    readonly children?: readonly number[];
  }[];
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

/** A function where it was called from. */
export interface Frame {
  readonly name: string;
  /** Whose code it is: a package, `node`, or what V8 itself does. */
  readonly owner: string;
  selfMicros: number;
  totalMicros: number;
  readonly children: Frame[];
}

/** The call tree without idle time. */
export function callTree({ nodes, samples, timeDeltas }: CpuProfile): Frame {
  const frames = new Map<number, Frame>();
  for (const { id, callFrame } of nodes) {
    const { functionName, url, lineNumber } = callFrame;
    const at = url === '' ? '' : ` (${url.split('/').at(-1)}:${lineNumber + 1})`;
    const name = `${functionName || 'anonymous'}${at}`;
    frames.set(id, { name, owner: ownerOf(functionName, url), selfMicros: 0, totalMicros: 0, children: [] });
  }
  for (const [at, id] of samples.entries()) {
    const frame = frames.get(id);
    if (frame && frame.name !== '(idle)') frame.selfMicros += Math.max(0, timeDeltas[at] ?? 0);
  }
  for (const { id, children = [] } of nodes) {
    frames.get(id)?.children.push(...children.flatMap((child) => frames.get(child) ?? []));
  }
  const root = frames.get(nodes[0]?.id ?? 0);
  if (root === undefined) throw new Error('the profile is empty');
  addUp(root);
  return root;
}

/**
 * @param isMeant by the file of a function: its own time and that of everything it calls count
 * @param from which part of the profile counts: 0.5 is its second half, when code is compiled
 * @returns the share of the processor time, from 0 to 1
 */
export function shareOf(
  { nodes, samples, timeDeltas }: CpuProfile,
  isMeant: (url: string) => boolean,
  from: number,
): number {
  const meant = new Set<number>();
  const idle = new Set<number>();
  // Callers come before what they call.
  for (const { id, callFrame, children = [] } of nodes) {
    if (isMeant(callFrame.url)) meant.add(id);
    if (callFrame.functionName === '(idle)') idle.add(id);
    if (meant.has(id)) for (const child of children) meant.add(child);
  }
  let [part, all] = [0, 0];
  for (const [at, id] of samples.entries()) {
    if (at < samples.length * from || idle.has(id)) continue;
    const micros = Math.max(0, timeDeltas[at] ?? 0);
    all += micros;
    if (meant.has(id)) part += micros;
  }
  if (all === 0) throw new Error('the profile is empty');
  return part / all;
}

function addUp(frame: Frame): number {
  frame.totalMicros = frame.selfMicros + frame.children.reduce((sum, child) => sum + addUp(child), 0);
  return frame.totalMicros;
}

function ownerOf(functionName: string, url: string): string {
  if (url.startsWith('node:')) return 'node';
  const [, scope] = /\/node_modules\/((?:@[^/]+\/)?[^/]+)\/(?!.*\/node_modules\/)/.exec(url) ?? [];
  if (scope !== undefined) return scope;
  const [, ours] = /\/(schemas|services\/[^/]+)\/src\//.exec(url) ?? [];
  if (ours !== undefined) return ours;
  if (functionName === '(garbage collector)') return 'garbage collector';
  return 'native';
}

export interface Share {
  readonly name: string;
  readonly micros: number;
}

/** Own time, callees left out, added up by what `nameOf` says; the largest first. */
export function shares(root: Frame, nameOf: (frame: Frame) => string): Share[] {
  const sums = new Map<string, number>();
  const visit = (frame: Frame): void => {
    const name = nameOf(frame);
    if (frame.selfMicros > 0) sums.set(name, (sums.get(name) ?? 0) + frame.selfMicros);
    for (const child of frame.children) visit(child);
  };
  visit(root);
  return [...sums].map(([name, micros]) => ({ name, micros })).sort((a, b) => b.micros - a.micros);
}

/** @param count of what was done meanwhile, for µs each */
export function profileTables(root: Frame, count: number, unit: string): string {
  const table = (head: string, found: readonly Share[]) =>
    [
      `| ${head} | own time | µs ${unit} |`,
      '|---|--:|--:|',
      ...found.map(
        ({ name, micros }) =>
          `| ${name} | ${((100 * micros) / root.totalMicros).toFixed(1)} % | ${(micros / count).toFixed(1)} |`,
      ),
    ].join('\n');
  const owners = shares(root, ({ owner }) => owner);
  const functions = shares(root, ({ name, owner }) => `${owner}: \`${name}\``);
  return `${table('whose code', owners.slice(0, 10))}\n\n${table('function', functions.slice(0, 20))}`;
}
