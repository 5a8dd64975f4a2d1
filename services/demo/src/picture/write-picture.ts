/** `npm run demo:picture`: runs the demo in a terminal of its own and writes what it shows to docs/demo.svg. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { messageOf } from '@databridge/kernel/errors';
import { say } from '../live/say.ts';
import { terminalSvg } from './svg.ts';
import { linesOnTerminal } from './terminal.ts';

const SIZE = { columns: 100, rows: 50 };
const DEMO = fileURLToPath(new URL('../main.ts', import.meta.url));
const PICTURE = new URL('../../../../docs/demo.svg', import.meta.url);
/** A sign-in link expires after ten minutes; the picture leaves it out all the same. */
const SIGN_IN_CODE = /dbl_[\w-]+/g;

/** Runs the demo on a pseudo-terminal, which `script` of util-linux makes. @throws if the demo fails */
async function demoOutput(): Promise<string> {
  const { NO_COLOR: _, FORCE_COLOR: __, ...env } = process.env;
  const command = `stty cols ${SIZE.columns} rows ${SIZE.rows} && exec "$DEMO_NODE" "$DEMO_MAIN"`;
  const child = spawn('script', ['--quiet', '--return', '--flush', '--command', command, '/dev/null'], {
    env: { ...env, TERM: 'xterm-256color', DEMO_NODE: process.execPath, DEMO_MAIN: DEMO },
    // Kept open: `script` passes the end of its input on to the demo.
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const chunks: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => {
    chunks.push(chunk);
    process.stdout.write(chunk);
  });
  const [code] = (await once(child, 'close')) as [number | null];
  if (code !== 0) throw new Error(`The demo failed with exit code ${code}; docs/demo.svg is unchanged.`);
  return Buffer.concat(chunks).toString('utf8');
}

try {
  const output = (await demoOutput()).replaceAll(SIGN_IN_CODE, 'dbl_…');
  const lines = await linesOnTerminal(output, SIZE);
  // The title bar takes the place of the blank line that the demo begins with.
  const first = lines.findIndex((runs) => runs.length > 0);
  writeFileSync(PICTURE, terminalSvg(lines.slice(first), SIZE.columns, 'npm run demo'));
  say('\n  wrote docs/demo.svg');
} catch (error) {
  const isMissing = (error as NodeJS.ErrnoException).code === 'ENOENT';
  say(isMissing ? '"script" is missing: install util-linux, and run this on Linux.' : messageOf(error));
  process.exitCode = 1;
}
