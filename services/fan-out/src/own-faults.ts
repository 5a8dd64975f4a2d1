import type { FanOutMetrics } from './metrics.ts';

export type Doing = 'write' | 'commit';

/** The writes and commits that Kafka refuses at present, for readiness; the metric counts each refusal. */
export class OwnFaults {
  readonly #metrics: Pick<FanOutMetrics, 'ownFaults'>;
  readonly #present = new Map<symbol, Doing>();

  constructor(metrics: Pick<FanOutMetrics, 'ownFaults'>) {
    this.#metrics = metrics;
  }

  /** One of the refused operations; undefined if none is refused. */
  get present(): Doing | undefined {
    return this.#present.values().next().value;
  }

  /** @param operation stays refused until {@link end} */
  note(operation: symbol, doing: Doing): void {
    this.#metrics.ownFaults.inc({ doing });
    this.#present.set(operation, doing);
  }

  end(operation: symbol): void {
    this.#present.delete(operation);
  }
}
