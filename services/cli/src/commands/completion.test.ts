/** Completion in the shells themselves: TAB is pressed in an interactive one, and what it makes of the line is read. */
import { type ChildProcessWithoutNullStreams, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const PROGRAMS = fileURLToPath(new URL('../../../../node_modules/.bin', import.meta.url));
/** How each is started without anybody's settings, and how it reads the script. */
const SHELLS = {
  bash: { start: 'bash --norc --noprofile -i', source: 'source <(databridge completion bash)' },
  zsh: { start: 'zsh -f -i', source: 'source <(databridge completion zsh)' },
  fish: { start: 'fish --no-config -i', source: 'databridge completion fish | source' },
} as const;
/** What is typed before TAB, and what stands there after it. */
const LINES = [
  ['databridge subscriptions expo', 'databridge subscriptions export'],
  ['databridge pause ac', 'databridge pause acme-corporation'],
  ['databridge status --output js', 'databridge status --output json'],
  ['databridge apply -f subscr', 'databridge apply -f subscriptions'],
  ['databridge apply -f subscriptions/glo', 'databridge apply -f subscriptions/globex.yaml'],
  ['databridge keys rotate --keys-file del', 'databridge keys rotate --keys-file delivery.keys'],
] as const;

let server: Server;
let directory: string;
const terminals: Terminal[] = [];

beforeAll(async () => {
  server = createServer((_request, response) => response.end('{"items":[{"customer":"acme-corporation"}]}'));
  await once(server.listen(0, '127.0.0.1'), 'listening');
  directory = mkdtempSync(join(tmpdir(), 'databridge-completion-'));
  mkdirSync(join(directory, 'subscriptions'));
  writeFileSync(join(directory, 'subscriptions/globex.yaml'), '');
  writeFileSync(join(directory, 'delivery.keys'), '');
});
afterAll(async () => {
  await Promise.all(terminals.map((terminal) => terminal.close()));
  server.closeAllConnections();
  server.close();
  rmSync(directory, { recursive: true, maxRetries: 10 });
});

/** An interactive shell at a terminal of its own, which `script` makes. */
class Terminal {
  readonly #child: ChildProcessWithoutNullStreams;
  #seen = '';

  constructor(start: string) {
    const { port } = server.address() as AddressInfo;
    const env = {
      ...{ PATH: `${PROGRAMS}:${process.env['PATH']}`, HOME: directory, TERM: 'dumb', COLUMNS: '200' },
      ...{ DATABRIDGE_URL: `http://127.0.0.1:${port}`, DATABRIDGE_TOKEN: 'x' },
    };
    this.#child = spawn('script', ['-qec', start, '/dev/null'], { cwd: directory, env });
    this.#child.stdout.setEncoding('utf8').on('data', (text: string) => {
      this.#seen += text;
    });
  }

  type(keys: string): void {
    this.#child.stdin.write(keys);
  }

  /** All that came until the text, which counts as seen from then on. */
  async until(text: string): Promise<string> {
    for (;;) {
      const at = this.#seen.indexOf(text);
      if (at >= 0) {
        const seen = this.#seen.slice(0, at);
        this.#seen = this.#seen.slice(at + text.length);
        return seen;
      }
      await once(this.#child.stdout, 'data');
    }
  }

  /** The shell ends with its terminal, once it has written its history. */
  async close(): Promise<void> {
    const closed = once(this.#child, 'close');
    this.#child.kill();
    await closed;
  }
}

const isThere = (program: string) => spawnSync(program, ['--version']).status === 0;

describe.each(Object.entries(SHELLS))('%s', (shell, { start, source }) => {
  const skipped = ['script', shell].filter((program) => !isThere(program));
  const inShell = skipped.length === 0 ? test : test.skip;

  inShell(
    `completes commands, customers, values and files${skipped.map((one) => `: ${one} is not installed`)}`,
    async () => {
      const terminal = new Terminal(start);
      terminals.push(terminal);
      // Twice: a shell within a shell reads it again.
      terminal.type(`${source}; ${source}; echo rea''dy\r`);
      expect(await terminal.until('ready')).not.toMatch(/readonly|not found|error/i);
      for (const [typed, completed] of LINES) {
        // TAB; then Ctrl-A, so that the line is printed instead of run. The quotes tell what is printed from what is typed.
        terminal.type(`${typed}\t\u0001echo li''ne: \r`);
        await terminal.until('line: ');
        // zsh takes the slash of a directory back before a blank.
        expect((await terminal.until('\n')).trim().replace(/\/$/, '')).toBe(completed);
      }
    },
    60_000,
  );
});
