import { systemClock } from '@databridge/kernel/time/clock';

/** Shows the progress of long work on standard error, so that standard output stays the same for programs. */

/** Without a terminal, an occasional line in the log is enough. */
const LINE_EVERY_MS = 10_000;

export interface Progress {
  step(): void;
  end(): void;
}

/** @param doing such as `Applying` */
export function startProgress(doing: string, total: number, stream: NodeJS.WriteStream = process.stderr): Progress {
  let done = 0;
  let writtenAtMs = systemClock.monotonicMs();
  const isShown = stream.isTTY === true && total > 1;
  const show = () => stream.write(`\r${doing}: ${done} of ${total}`);
  if (isShown) show();
  return {
    step() {
      done += 1;
      if (isShown) show();
      else if (systemClock.monotonicMs() - writtenAtMs > LINE_EVERY_MS) {
        writtenAtMs = systemClock.monotonicMs();
        stream.write(`${doing}: ${done} of ${total}\n`);
      }
    },
    end() {
      if (isShown) stream.write('\r\u001b[K');
    },
  };
}
