import { createRequire } from 'node:module';
import type { Message } from 'kafkajs';
import { KafkaPortError } from '../../errors.ts';
import { encodeProduceRequest, type ProduceRequest } from '../produce-encoding.ts';

/** The method as kafkajs calls it: one request to one broker. */
export interface ProduceArguments extends ProduceRequest {
  /** 0 means none. */
  readonly compression?: number;
  readonly transactionalId?: string | null | undefined;
  /** -1 means none: the producer is neither idempotent nor transactional. */
  readonly producerId?: unknown;
}

interface Encoder {
  buf: Buffer;
  offset: number;
}

interface Produce {
  request: { encode(): Promise<Encoder> };
}

interface ProduceProtocol {
  readonly versions: readonly string[];
  protocol: (at: { version: number }) => (given: ProduceArguments) => Produce;
}

/** The versions that carry record batches. kafkajs knows no later one. */
const VERSIONS = ['0', '1', '2', '3', '4', '5', '6', '7'];
const FIRST_WITH_BATCHES = 3;

let installed: ProduceProtocol['protocol'] | undefined;

/**
 * Makes kafkajs 2.2.4 encode the requests of a plain producer with {@link encodeProduceRequest}; it encodes all others
 * (with compression, transactions or explicit timestamps) itself. The bytes stay the same: `produce-patch.test.ts`
 * compares the two.
 *
 * @throws {KafkaPortError} `DB_KAFKA_CLIENT_CHANGED`
 */
export function installProducePatch(): void {
  const require = createRequire(import.meta.url);
  const produce = require('kafkajs/src/protocol/requests/produce') as ProduceProtocol;
  if (installed !== undefined && produce.protocol === installed) return;
  if (produce.versions?.join() !== VERSIONS.join()) {
    throw new KafkaPortError(
      'DB_KAFKA_CLIENT_CHANGED',
      'kafkajs changed its Produce requests: check whether our patch of them is still needed, and adapt it',
    );
  }
  const Encoder = require('kafkajs/src/protocol/encoder') as new (initialSize: number) => Encoder;
  const original = produce.protocol;
  installed = ({ version }) => {
    const make = original({ version });
    if (version < FIRST_WITH_BATCHES) return make;
    return (given) => {
      const made = make(given);
      if (isPlain(given)) {
        made.request.encode = async () => {
          const encoder = new Encoder(1);
          encoder.buf = encodeProduceRequest(given, Date.now());
          encoder.offset = encoder.buf.length;
          return encoder;
        };
      }
      return made;
    };
  };
  produce.protocol = installed;
}

function isPlain({ compression = 0, transactionalId, producerId, topicData }: ProduceArguments): boolean {
  if (compression !== 0 || (transactionalId ?? undefined) !== undefined) return false;
  if (producerId !== undefined && producerId !== -1) return false;
  return topicData.every(({ partitions }) => partitions.every(({ messages }) => messages.every(hasNoTime)));
}

const hasNoTime = ({ timestamp }: Message): boolean => timestamp === undefined;
