import type { TopicSpec } from '@databridge/schemas/records/topics';

/**
 * A controller writes one record for each topic, partition and setting, and refuses a request that takes more than
 * 10,000 (Kafka 4: `QuorumController.MAX_RECORDS_PER_USER_OP`) with POLICY_VIOLATION only: a few hundred customers
 * reach that.
 */
const MAX_CONTROLLER_RECORDS = 5_000;

/** Divides the topics to create into as many requests as necessary. */
export function requestsOf(specs: readonly TopicSpec[], maxRecords: number = MAX_CONTROLLER_RECORDS): TopicSpec[][] {
  const requests: TopicSpec[][] = [];
  let room = 0;
  for (const spec of specs) {
    const records = 1 + spec.partitions + Object.keys(spec.config).length;
    if (records > room || requests.length === 0) {
      requests.push([]);
      room = maxRecords;
    }
    requests.at(-1)?.push(spec);
    room -= records;
  }
  return requests;
}
