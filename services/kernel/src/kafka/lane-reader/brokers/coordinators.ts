import { KafkaPortError } from '../../errors.ts';
import { type FoundCoordinator, findCoordinators } from '../../kafkajs/flexible-requests.ts';
import { CODE, codeName } from '../../protocol-codes.ts';
import type { BrokerLink } from './broker-link.ts';
import type { Cluster } from './cluster.ts';
import { Together } from './together.ts';

/** The number of groups in one request. */
const MAX_GROUPS = 1_000;

/** Knows which broker coordinates which group, as long as that broker agrees. */
export class Coordinators {
  readonly #cluster: Cluster;
  readonly #known = new Map<string, number>();
  readonly #asking: Together<string, FoundCoordinator>;

  constructor(cluster: Cluster) {
    this.#cluster = cluster;
    this.#asking = new Together(async (groupIds) => {
      const found = await cluster.any().send(findCoordinators(groupIds));
      return new Map(found.map((one) => [one.groupId, one]));
    }, MAX_GROUPS);
  }

  /** @throws {KafkaPortError} `DB_KAFKA_UNAVAILABLE` while there is none, `DB_KAFKA_REFUSED` without the right to ask */
  async linkOf(groupId: string): Promise<BrokerLink> {
    const known = this.#known.get(groupId);
    if (known !== undefined) return this.#cluster.link(known);
    const found = await this.#asking.of(groupId);
    const errorCode = found?.errorCode ?? CODE.COORDINATOR_NOT_AVAILABLE;
    if (found === undefined || errorCode !== CODE.NONE) {
      const code = errorCode === CODE.GROUP_AUTHORIZATION_FAILED ? 'DB_KAFKA_REFUSED' : 'DB_KAFKA_UNAVAILABLE';
      throw new KafkaPortError(code, `find the coordinator of group ${groupId}: ${codeName(errorCode)}`);
    }
    this.#cluster.learn(found.nodeId, found);
    this.#known.set(groupId, found.nodeId);
    return this.#cluster.link(found.nodeId);
  }

  /** Forgets the coordinator, because it moved or cannot be reached: the next request asks again. */
  forget(groupId: string): void {
    this.#known.delete(groupId);
  }
}
