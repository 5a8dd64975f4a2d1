import type { ConnectionOptions } from 'node:tls';
import { DatabridgeError } from '../errors.ts';
import type { Logger } from '../log.ts';
import { readSetting } from '../settings/read-setting.ts';
import type { KafkaConfig } from './kafka-config.ts';
import type { KafkaSettings } from './kafkajs/client.ts';
import { saslOf } from './login/sasl.ts';

/**
 * The connection that the `KAFKA_…` variables describe.
 * @throws {DatabridgeError} DB_CONFIG_INVALID for a file that can't be read, or an incomplete login
 */
export function kafkaSettings(config: KafkaConfig, clientId: string, log: Logger): KafkaSettings {
  const ssl = tlsOf(config);
  const sasl = saslOf(config);
  return { brokers: config.KAFKA_BROKERS, clientId, log, ...(ssl && { ssl }), ...(sasl && { sasl }) };
}

const FILES = { ca: 'KAFKA_TLS_CA_FILE', cert: 'KAFKA_TLS_CERT_FILE', key: 'KAFKA_TLS_KEY_FILE' } as const;

function tlsOf(config: KafkaConfig): ConnectionOptions | boolean {
  const set = Object.values(FILES).filter((name) => config[name] !== undefined);
  if (!config.KAFKA_TLS) {
    if (set.length === 0) return false;
    throw new DatabridgeError('DB_CONFIG_INVALID', `${set.join(', ')} set, but KAFKA_TLS is not true`);
  }
  if ((config.KAFKA_TLS_CERT_FILE === undefined) !== (config.KAFKA_TLS_KEY_FILE === undefined)) {
    throw new DatabridgeError(
      'DB_CONFIG_INVALID',
      'Set both of KAFKA_TLS_CERT_FILE and KAFKA_TLS_KEY_FILE, or neither',
    );
  }
  if (set.length === 0) return true;
  const read = Object.entries(FILES).flatMap(([option, name]) => {
    const file = config[name];
    return file === undefined ? [] : [[option, readSetting(name, file)]];
  });
  return Object.fromEntries(read) as ConnectionOptions;
}
