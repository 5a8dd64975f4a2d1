import { MultiBar, type SingleBar } from 'cli-progress';

/** Receives the progress of a long download. */
export interface FetchProgress {
  start(title: string, expectedBytes: number): void;
  update(doneBytes: number): void;
  finish(how: 'done' | 'failed'): void;
  note(text: string): void;
}

const UNIT_BYTES: Record<string, number> = { B: 1, kB: 1e3, MB: 1e6, GB: 1e9 };

/** Adds up bytes from Maven's output, which reports finished files and files in progress in separate lines. */
export class FetchMeter {
  #finishedBytes = 0;

  /** @returns bytes so far: those of finished files and, from a progress line, of files in progress */
  read(line: string): number {
    const finished = /Downloaded from .*\(([\d.]+) (B|kB|MB|GB)/.exec(line);
    if (finished) this.#finishedBytes += inBytes(finished[1], finished[2]);
    const [, files] = /Progress \(\d+\): (.*)/.exec(line) ?? [];
    return this.#finishedBytes + (files === undefined ? 0 : bytesOnTheirWay(files));
  }
}

/** "0.2/2.3 MB | 18 kB" gives 0.2 MB + 18 kB. */
function bytesOnTheirWay(files: string): number {
  let sum = 0;
  for (const [, done, unit] of files.matchAll(/([\d.]+)(?:\/[\d.]+)? (B|kB|MB|GB)/g)) sum += inBytes(done, unit);
  return sum;
}

function inBytes(amount = '0', unit = 'B'): number {
  return Number(amount) * (UNIT_BYTES[unit] ?? 1);
}

/** Shows a bar on a terminal, and a line every few seconds elsewhere; writes to `stream`, standard error by default. */
export function terminalProgress(stream: NodeJS.WriteStream = process.stderr): FetchProgress {
  let bars: MultiBar | undefined;
  let bar: SingleBar | undefined;
  let expectedMegabytes = 0;
  return {
    start(title, expectedBytes) {
      stream.write(`${title}\n`);
      expectedMegabytes = Math.round(expectedBytes / 1e6);
      bars = new MultiBar({
        stream,
        format: '  {bar} {percentage}% | {value}/{total} MB | {duration_formatted}',
        barCompleteChar: '█',
        barIncompleteChar: '░',
        hideCursor: true,
        noTTYOutput: true,
        notTTYSchedule: 5_000,
      });
      bar = bars.create(expectedMegabytes, 0);
    },
    update(doneBytes) {
      // The expected size is an estimate: never show more than all of it before it is done.
      bar?.update(Math.min(Math.round(doneBytes / 1e6), expectedMegabytes - 1));
    },
    finish(how) {
      if (how === 'done') bar?.update(expectedMegabytes);
      bars?.stop();
      stream.write(how === 'done' ? '  fetched\n' : '  failed\n');
    },
    note(text) {
      stream.write(`${text}\n`);
    },
  };
}
