import { createRequire } from 'node:module';
import { KafkaPortError } from '../errors.ts';

/**
 * One request in the form that kafkajs's `Connection` sends. Only the encoding and decoding are kafkajs's: the caller
 * handles error codes in the answer, where kafkajs would discard the whole answer for one partition's error.
 */
export interface WireRequest<Answer> {
  readonly request: { readonly apiName: string };
  readonly response: { decode(payload: Buffer): Promise<Answer>; parse(decoded: Answer): Promise<Answer> };
}

type Protocol = (fields: object) => {
  request: WireRequest<unknown>['request'];
  response: { decode(payload: Buffer): Promise<unknown> };
};

/** Versions that Kafka 3.7 and every 4.x broker answers; docs/own-kafka.md states that range. */
const VERSIONS = {
  Fetch: 11,
  ListOffsets: 3,
  Metadata: 6,
  OffsetCommit: 5,
  JoinGroup: 5,
  SyncGroup: 3,
  Heartbeat: 3,
  LeaveGroup: 3,
  DescribeGroups: 2,
} as const;

export type ApiName = keyof typeof VERSIONS;

const require = createRequire(import.meta.url);

let protocols: ReadonlyMap<ApiName, Protocol> | undefined;

/** @throws {KafkaPortError} `DB_KAFKA_CLIENT_CHANGED` if kafkajs does not have this version any more */
function loadProtocols(): ReadonlyMap<ApiName, Protocol> {
  const { requests } = require('kafkajs/src/protocol/requests') as {
    requests: Record<string, { versions: readonly string[]; protocol(at: { version: number }): Protocol }>;
  };
  return new Map(
    Object.entries(VERSIONS).map(([name, version]) => {
      const found = requests[name];
      if (!found?.versions.includes(String(version))) {
        throw new KafkaPortError('DB_KAFKA_CLIENT_CHANGED', `kafkajs no longer encodes ${name} version ${version}`);
      }
      return [name as ApiName, found.protocol({ version })];
    }),
  );
}

/** @param decode replaces kafkajs's own decoding */
export function wireRequest<Answer>(
  name: ApiName,
  fields: object,
  decode?: (payload: Buffer) => Promise<Answer>,
): WireRequest<Answer> {
  protocols ??= loadProtocols();
  const { request, response } = (protocols.get(name) as Protocol)(fields);
  return {
    request,
    response: {
      decode: decode ?? ((payload) => response.decode(payload) as Promise<Answer>),
      parse: async (decoded) => decoded,
    },
  };
}
