import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePorts } from '@databridge/local-platform/free-port';
import { startPeer } from '../peers/peer-process.ts';

/** One series of an answer: `value` of an instant query, `values` of a range; times in seconds. */
export interface PromSeries {
  readonly metric: Readonly<Record<string, string>>;
  readonly value?: readonly [number, string];
  readonly values?: readonly (readonly [number, string])[];
}

/** A real Prometheus (Debian's package) that scrapes every second. Ended with the test file. */
export class Prometheus {
  readonly #url: string;

  private constructor(port: number) {
    this.#url = `http://127.0.0.1:${port}`;
  }

  /** @param targets `host:port` of admin ports */
  static async start(targets: readonly string[]): Promise<Prometheus> {
    const [port = 0] = await freePorts(1);
    const directory = await mkdtemp(join(tmpdir(), 'databridge-prometheus-'));
    const config = join(directory, 'prometheus.json');
    const labels = { namespace: 'databridge' };
    await writeFile(
      config,
      JSON.stringify({
        global: { scrape_interval: '1s' },
        scrape_configs: [{ job_name: 'databridge-events', static_configs: [{ targets, labels }] }],
      }),
    );
    const args = [`--config.file=${config}`, `--storage.tsdb.path=${join(directory, 'data')}`];
    await startPeer({ program: 'prometheus', args: [...args, `--web.listen-address=127.0.0.1:${port}`], port });
    return new Prometheus(port);
  }

  /** @param atMs left out: now */
  async now(query: string, atMs = Date.now()): Promise<PromSeries[]> {
    return await this.#ask('query', { query, time: String(atMs / 1_000) });
  }

  async range(query: string, fromMs: number, toMs: number, stepMs: number): Promise<PromSeries[]> {
    const [start, end, step] = [fromMs, toMs, stepMs].map((ms) => String(ms / 1_000));
    return await this.#ask('query_range', { query, start: String(start), end: String(end), step: String(step) });
  }

  /** @throws Error with the query and what Prometheus says of it */
  async #ask(what: string, parameters: Record<string, string>): Promise<PromSeries[]> {
    const answer = await fetch(`${this.#url}/api/v1/${what}`, {
      method: 'POST',
      body: new URLSearchParams(parameters),
    });
    const { status, error, data } = (await answer.json()) as {
      status: string;
      error?: string;
      data?: { result: PromSeries[] };
    };
    if (status !== 'success' || data === undefined) throw new Error(`${parameters['query']}: ${error}`);
    return data.result;
  }
}
