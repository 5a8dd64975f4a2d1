/** A real Prometheus and a real Alertmanager, with the rules and routes of the kit and all durations shortened. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { freePorts } from '@databridge/local-platform/free-port';
import { alertmanagerFile } from '@databridge/observability/rules/alertmanager-file';
import { rulesFile, type Shortening } from '@databridge/observability/rules/rules-file';
import { eventually } from '../eventually.ts';

/** Minutes become a few seconds. Burn rates over 6 h and 3 d would still look back for longer than a test lasts. */
const SHORTENED: Shortening = { windows: 30, stays: 30 };
/** Alerts that wait for 5 min fire within 10 s; the machine may be busy. */
const WITHIN_MS = 300_000;
const RECEIVERS = ['page', 'ticket', 'support', 'nobody'] as const;
export type ReceiverName = (typeof RECEIVERS)[number];

/** One alert as Alertmanager told a receiver of it. */
export interface Notified {
  readonly receiver: ReceiverName;
  readonly status: 'firing' | 'resolved';
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

/** Debian's packages `prometheus` and `prometheus-alertmanager`; .ci/run installs them. */
export const hasMonitoring =
  spawnSync('prometheus', ['--version']).error === undefined &&
  spawnSync('prometheus-alertmanager', ['--version']).error === undefined;

export class Monitoring {
  /** Everything that receivers were told, in order. */
  readonly notified: Notified[] = [];
  readonly #folder = mkdtempSync(join(tmpdir(), 'databridge-monitoring-'));
  readonly #children: ChildProcess[] = [];
  readonly #receivers: Server;
  #prometheus = '';

  private constructor() {
    this.#receivers = createServer((request, response) => {
      void this.#take(request).then(() => response.end());
    });
  }

  /** @param targets admin addresses, as host:port; {@link watch} changes them */
  static async start(targets: readonly string[], shortening = SHORTENED): Promise<Monitoring> {
    const monitoring = new Monitoring();
    await monitoring.#start(targets, shortening);
    return monitoring;
  }

  async #start(targets: readonly string[], shortening: Shortening): Promise<void> {
    this.#receivers.listen(0, '127.0.0.1');
    await once(this.#receivers, 'listening');
    const { port } = this.#receivers.address() as { port: number };
    const [prometheusPort, alertmanagerPort] = await freePorts(2);
    const hook = (name: ReceiverName) => ({
      webhook_configs: [{ url: `http://127.0.0.1:${port}/${name}`, send_resolved: true }],
    });
    const [page, ticket, support, nobody] = RECEIVERS.map(hook) as [object, object, object, object];
    const file = (name: string, content: string) => {
      writeFileSync(join(this.#folder, name), content);
      return join(this.#folder, name);
    };
    file(
      'rules.yaml',
      rulesFile(shortening, (rule) => 'record' in rule || !/Burn(Slow|Long)$/.test(rule.name)),
    );
    this.watch(targets);
    const prometheus = file(
      'prometheus.yaml',
      JSON.stringify({
        global: { scrape_interval: '1s', evaluation_interval: '1s' },
        rule_files: [join(this.#folder, 'rules.yaml')],
        scrape_configs: [
          {
            job_name: 'databridge',
            file_sd_configs: [{ files: [join(this.#folder, 'targets.json')], refresh_interval: '1s' }],
          },
        ],
        alerting: { alertmanagers: [{ static_configs: [{ targets: [`127.0.0.1:${alertmanagerPort}`] }] }] },
      }),
    );
    const alertmanager = file(
      'alertmanager.yaml',
      alertmanagerFile(
        { page, ticket, support, nobody },
        // Of 30 s: a cause that begins a little later still holds its consequences back.
        { wait: `${Math.ceil(30 / shortening.windows)}s`, interval: '1s' },
      ),
    );
    this.#run('prometheus-alertmanager', [
      `--config.file=${alertmanager}`,
      `--storage.path=${join(this.#folder, 'alertmanager')}`,
      `--web.listen-address=127.0.0.1:${alertmanagerPort}`,
      '--cluster.listen-address=',
      '--log.level=error',
    ]);
    this.#run('prometheus', [
      `--config.file=${prometheus}`,
      `--storage.tsdb.path=${join(this.#folder, 'prometheus')}`,
      `--web.listen-address=127.0.0.1:${prometheusPort}`,
      '--rules.alert.resend-delay=1s',
      '--log.level=error',
    ]);
    this.#prometheus = `http://127.0.0.1:${prometheusPort}/api/v1`;
    await eventually(
      () => this.value('count(up == 1)').catch(() => undefined),
      (count) => count === targets.length,
      WITHIN_MS,
    );
  }

  /** Other processes from now on: one that was restarted has another port. */
  watch(targets: readonly string[]): void {
    const file = join(this.#folder, 'targets.json');
    // Prometheus reads it every second, and must not find half of it.
    writeFileSync(`${file}.new`, JSON.stringify([{ targets, labels: { namespace: 'test' } }]));
    renameSync(`${file}.new`, file);
  }

  /** @returns undefined: the query has no result */
  async value(query: string): Promise<number | undefined> {
    const [first] = await this.#query(query);
    return first && Number(first.value[1]);
  }

  /** Names, without `Databridge`, of the alerts that have fired since the start, or fire now. */
  async fired(since: 'start' | 'now'): Promise<string[]> {
    const series = 'ALERTS{alertstate="firing"}';
    const range = since === 'start' ? `count_over_time(${series}[1h])` : series;
    const found = await this.#query(`count by (alertname) (${range})`);
    return found.map(({ metric }) => withoutPrefix(metric['alertname'] ?? '')).sort();
  }

  async #query(query: string): Promise<{ metric: Record<string, string>; value: [number, string] }[]> {
    const response = await fetch(`${this.#prometheus}/query?${new URLSearchParams({ query })}`);
    const { data, error } = (await response.json()) as { data?: { result: never[] }; error?: string };
    if (data === undefined) throw new Error(error);
    return data.result;
  }

  /** Resolves when that receiver was told that the alert fires. */
  async told(receiver: ReceiverName, name: string): Promise<Notified> {
    const found = () =>
      this.notified.find((one) => one.receiver === receiver && one.name === name && one.status === 'firing');
    return (await eventually(
      async () => found(),
      (one) => one !== undefined,
      WITHIN_MS,
    )) as Notified;
  }

  /** Resolves when the alert fires at Prometheus, whether anybody is told or not. */
  async firing(name: string): Promise<void> {
    await eventually(
      () => this.fired('now'),
      (names) => names.includes(name),
      WITHIN_MS,
      500,
    );
  }

  /** Resolves when no alert fires, and receivers were told of each end. */
  async allResolved(): Promise<void> {
    await eventually(
      () => this.fired('now'),
      (names) => names.length === 0,
      WITHIN_MS,
      500,
    );
    await eventually(
      async () => this.#openAtReceivers(),
      (open) => open.length === 0,
      WITHIN_MS,
    );
  }

  #openAtReceivers(): string[] {
    const last = new Map(this.notified.map((one) => [`${one.receiver} ${JSON.stringify(one.labels)}`, one]));
    return [...last.values()].filter(({ status }) => status === 'firing').map(({ name }) => name);
  }

  async #take(request: IncomingMessage): Promise<void> {
    const { alerts } = JSON.parse(await text(request)) as {
      alerts: { status: 'firing' | 'resolved'; labels: Record<string, string>; annotations: Record<string, string> }[];
    };
    const receiver = (request.url ?? '/').slice(1) as ReceiverName;
    for (const { status, labels, annotations } of alerts) {
      this.notified.push({ receiver, status, labels, annotations, name: withoutPrefix(labels['alertname'] ?? '') });
    }
  }

  #run(command: string, args: readonly string[]): void {
    this.#children.push(spawn(command, args, { stdio: ['ignore', 'ignore', 'inherit'] }));
  }

  async stop(): Promise<void> {
    await Promise.all(
      this.#children.map(async (child) => {
        if (child.exitCode !== null) return;
        child.kill();
        await once(child, 'exit');
      }),
    );
    this.#receivers.close();
    rmSync(this.#folder, { recursive: true });
  }
}

const withoutPrefix = (name: string) => name.replace(/^Databridge/, '');
