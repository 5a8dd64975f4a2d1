import { KafkaPortError } from '../../errors.ts';
import { wireRequest } from '../../kafkajs/wire-requests.ts';
import { CODE, codeName } from '../../protocol-codes.ts';
import type { BrokerLink } from './broker-link.ts';
import type { Cluster } from './cluster.ts';

interface FindCoordinatorAnswer {
  readonly errorCode: number;
  readonly coordinator: { readonly nodeId: number; readonly host: string; readonly port: number };
}

/** Which broker coordinates which group, as long as that broker agrees. */
export class Coordinators {
  readonly #cluster: Cluster;
  readonly #known = new Map<string, number>();

  constructor(cluster: Cluster) {
    this.#cluster = cluster;
  }

  /** @throws {KafkaPortError} `DB_KAFKA_UNAVAILABLE` while there is none, `DB_KAFKA_REFUSED` without the right to ask */
  async linkOf(groupId: string): Promise<BrokerLink> {
    const known = this.#known.get(groupId);
    if (known !== undefined) return this.#cluster.link(known);
    const wire = wireRequest<FindCoordinatorAnswer>('GroupCoordinator', { groupId });
    const { errorCode, coordinator } = await this.#cluster.any().send(wire);
    if (errorCode !== CODE.NONE) {
      const code = errorCode === CODE.GROUP_AUTHORIZATION_FAILED ? 'DB_KAFKA_REFUSED' : 'DB_KAFKA_UNAVAILABLE';
      throw new KafkaPortError(code, `find the coordinator of group ${groupId}: ${codeName(errorCode)}`);
    }
    this.#cluster.learn(coordinator.nodeId, coordinator);
    this.#known.set(groupId, coordinator.nodeId);
    return this.#cluster.link(coordinator.nodeId);
  }

  /** It moved, or can't be reached: the next request asks again. */
  forget(groupId: string): void {
    this.#known.delete(groupId);
  }
}
