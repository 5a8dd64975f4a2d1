import { LOOPBACK_EGRESS } from '@databridge/kernel/egress/egress-settings';
import { Tokens } from '@databridge/kernel/secrets/tokens';
import type { ServiceName } from '../harness/services/launch-service.ts';
import type { Stage } from '../harness/stage.ts';
import { KeptService } from './kept-service.ts';

/** The least that a broker allows. */
const SESSION_TIMEOUT = '6s';
const RETRY_PLAN = '1s*30,2s*150';

/** The services of a fault run, which are started again whenever they end. */
export class RunServices {
  readonly workers: KeptService[] = [];
  readonly fanOuts: KeptService[] = [];
  readonly #controlPlanes: KeptService[] = [];
  readonly #run: string;
  readonly #keys: string;
  readonly #eventTypes: string;
  readonly #workerEnv: Record<string, string>;
  readonly #onStarted: () => void;
  readonly #operator = Tokens.generate('ann', 'operator');
  #named = 0;

  /**
   * @param run which logs are kept under
   * @param delivery added to the workers' environment
   * @param onStarted called at each start: {@link targets} is another then
   */
  constructor(run: string, stage: Stage, delivery: Record<string, string>, onStarted: () => void) {
    this.#run = run;
    this.#keys = stage.keys;
    this.#eventTypes = `root-cause=${stage.upstream.topic}`;
    this.#onStarted = onStarted;
    this.#workerEnv = {
      EVENT_TYPES: this.#eventTypes,
      ...LOOPBACK_EGRESS,
      DATABRIDGE_KEYS: stage.openingKeys,
      NODE_OPTIONS: `--import ${new URL('tag-requests.ts', import.meta.url).href}`,
      SESSION_TIMEOUT,
      RETRY_PLAN,
      BREAKER_RESET: '2s',
      LOG_LEVEL: 'info',
      ...delivery,
    };
  }

  async addWorker(env: Record<string, string> = {}): Promise<KeptService> {
    const name = `worker-${++this.#named}`;
    return await this.#start(this.workers, name, 'delivery', { ...this.#workerEnv, WORKER_NAME: name, ...env });
  }

  async addFanOut(): Promise<void> {
    await this.#start(this.fanOuts, `fan-out-${++this.#named}`, 'fan-out', { EVENT_TYPES: this.#eventTypes });
  }

  /** For what alerts see of customers' states, and for the commands of runbooks. */
  async addControlPlane(): Promise<void> {
    await this.#start(this.#controlPlanes, 'control-plane', 'control-plane', {
      EVENT_TYPES: this.#eventTypes,
      RETRY_PLAN: this.#workerEnv['RETRY_PLAN'] ?? RETRY_PLAN,
      ...LOOPBACK_EGRESS,
      DATABRIDGE_KEYS: this.#keys,
      API_PORT: '0',
      API_TOKENS: this.#operator.line,
      EXPORT_INTERVAL: '2s',
    });
  }

  async #start(
    among: KeptService[],
    name: string,
    service: ServiceName,
    env: Record<string, string>,
  ): Promise<KeptService> {
    const kept = await KeptService.start(this.#run, name, service, env, this.#onStarted);
    among.push(kept);
    // Its own call came before it was among the targets.
    this.#onStarted();
    return kept;
  }

  get #all(): KeptService[] {
    return [...this.workers, ...this.fanOuts, ...this.#controlPlanes];
  }

  /** Admin addresses of the processes that run, as host:port. */
  targets(): string[] {
    const urls = this.#all.map(({ process }) => process?.adminUrl).filter((url) => url !== undefined);
    return urls.map((url) => new URL(url).host);
  }

  /** Of the control plane, and its operator. */
  api(): { readonly url: string; readonly token: string } {
    const logs = this.#controlPlanes[0]?.process?.logs ?? [];
    const line = logs.find((one) => typeof one['apiPort'] === 'number');
    return { url: `http://127.0.0.1:${line?.['apiPort']}`, token: this.#operator.token };
  }

  async end(): Promise<void> {
    await Promise.all(this.#all.map((service) => service.end()));
  }
}
