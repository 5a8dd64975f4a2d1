import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Shortening } from '@databridge/observability/rules/rules-file';
import { eventually } from '../harness/eventually.ts';
import { hasMonitoring, Monitoring, type Notified, type ReceiverName } from '../harness/ops/monitoring.ts';
import { expectedOf, faultOf, type Scenario } from './expected-alerts.ts';

const PROGRAM = fileURLToPath(new URL('../../services/cli/bin/databridge.js', import.meta.url));
/** Time-outs of Kafka's sessions are not shortened, so that faults last relatively long already. */
const SHORTENED: Shortening = { windows: 10, stays: 60 };
const CURED_WITHIN_MS = 60_000;
const execute = promisify(execFile);

export interface WatchOptions {
  /** Admin addresses of what runs now, as host:port. */
  readonly targets: () => readonly string[];
  /** The control plane's, and who asks it. */
  readonly api: () => { readonly url: string; readonly token: string };
  readonly shortening?: Shortening;
}

/** False if Debian's packages `prometheus` and `prometheus-alertmanager` are not installed, or FAULT_WATCH is 0. */
export const isWatched = hasMonitoring && process.env['FAULT_WATCH'] !== '0';

/** A real Prometheus and Alertmanager that watch a fault run, and whoever is on call, who runs what runbooks say. */
export class Watch {
  readonly #monitoring: Monitoring;
  readonly #options: WatchOptions;

  private constructor(monitoring: Monitoring, options: WatchOptions) {
    this.#monitoring = monitoring;
    this.#options = options;
  }

  /** @returns undefined unless {@link isWatched} */
  static async start(options: WatchOptions): Promise<Watch | undefined> {
    if (!isWatched) return undefined;
    return new Watch(await Monitoring.start(options.targets(), options.shortening ?? SHORTENED), options);
  }

  /** To be called when a process was started: it has another address. */
  retarget(): void {
    this.#monitoring.watch(this.#options.targets());
  }

  /** Resolves when that receiver was sent the alert. */
  sent(receiver: ReceiverName, alert: string): Promise<Notified> {
    return this.#monitoring.told(receiver, alert);
  }

  value(query: string): Promise<number | undefined> {
    return this.#monitoring.value(query);
  }

  /**
   * Executes the command that the scenario's runbook has.
   * @param words in place of the customer and the files of the runbook's examples
   */
  async cure(
    scenario: Scenario,
    words: Readonly<Record<string, string>> = {},
  ): Promise<{ text: string; exit: number }> {
    const { alert, command } = expectedOf(scenario).cure;
    return await this.run(alert, command, words);
  }

  /** Executes it until it succeeds: whoever is on call does so after the cause is gone. */
  async cured(scenario: Scenario, words: Readonly<Record<string, string>> = {}): Promise<void> {
    await eventually(
      () => this.cure(scenario, words),
      ({ exit }) => exit === 0,
      CURED_WITHIN_MS,
      1_000,
    );
  }

  /** What was sent so far is of another scenario. */
  forget(): void {
    this.#monitoring.notified.splice(0);
  }

  /** Executes a command that the runbook of the alert has. */
  async run(
    alert: string,
    command: string,
    words: Readonly<Record<string, string>> = {},
  ): Promise<{ text: string; exit: number }> {
    const page = readFileSync(new URL(`../../docs/operations/runbooks/Databridge${alert}.md`, import.meta.url), 'utf8');
    expect(page).toContain(`\`${command}\``);
    const args = command.split(' ').slice(1);
    const { url, token } = this.#options.api();
    const env = { PATH: process.env['PATH'], DATABRIDGE_URL: url.replace(/\/v1$/, ''), DATABRIDGE_TOKEN: token };
    const all = args.map((word) => words[word] ?? word);
    try {
      const { stdout, stderr } = await execute(process.execPath, [PROGRAM, ...all], { env });
      return { text: stdout + stderr, exit: 0 };
    } catch (error) {
      const { stdout, stderr, code } = error as { stdout: string; stderr: string; code: number };
      return { text: stdout + stderr, exit: code };
    }
  }

  /** Waits until no alert fires and every receiver knows, and compares what was sent with what the scenario must send. */
  async settled(scenario: Scenario): Promise<void> {
    const { fault, sent: must, maybe = [] } = expectedOf(scenario);
    process.stderr.write(`  alerts of ${scenario}: ${this.#sent().join(', ') || 'none'}\n`);
    await this.#monitoring.allResolved();
    const sent = this.#sent();
    this.forget();
    const ofSomebodyElse = sent.filter((name) => faultOf(name) !== fault);
    expect({ scenario, ofSomebodyElse }).toEqual({ scenario, ofSomebodyElse: [] });
    const allowed = [...must, ...maybe];
    expect(sent.filter((name) => !allowed.includes(name))).toEqual([]);
    expect(sent).toEqual(expect.arrayContaining([...must]));
  }

  /** What anybody was sent; what only dashboards show is not among it. */
  #sent(): string[] {
    const told = this.#monitoring.notified.filter(({ receiver }) => receiver !== 'nobody');
    return [...new Set(told.map(({ name }) => name))].sort();
  }

  async stop(): Promise<void> {
    await this.#monitoring.stop();
  }
}
