import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { kafkaVariables } from '../config.ts';
import { DatabridgeError, messageOf } from '../errors.ts';
import type { Logger } from '../log.ts';
import type { KafkaSettings } from './kafkajs/client.ts';

const kafkaConfig = z.object(kafkaVariables);

/**
 * The connection that the `KAFKA_…` variables describe.
 * @throws {DatabridgeError} DB_CONFIG_INVALID: a file that can't be read, or SASL without all of its parts
 */
export function kafkaSettings(config: z.output<typeof kafkaConfig>, clientId: string, log: Logger): KafkaSettings {
  const { KAFKA_TLS: isTls, KAFKA_TLS_CA_FILE: caFile } = config;
  if (!isTls && caFile !== undefined) throw invalid('KAFKA_TLS_CA_FILE is set, but KAFKA_TLS is not true');
  const ssl = isTls && caFile !== undefined ? { ca: readSetting('KAFKA_TLS_CA_FILE', caFile) } : isTls;
  const sasl = saslOf(config);
  return { brokers: config.KAFKA_BROKERS, clientId, log, ...(ssl && { ssl }), ...(sasl && { sasl }) };
}

function saslOf(config: z.output<typeof kafkaConfig>): KafkaSettings['sasl'] {
  const mechanism = config.KAFKA_SASL_MECHANISM;
  const username = config.KAFKA_SASL_USERNAME;
  const given = config.KAFKA_SASL_PASSWORD;
  const file = config.KAFKA_SASL_PASSWORD_FILE;
  if (mechanism === undefined) {
    // Else the service would speak to the brokers as nobody, though somebody meant it not to.
    if ((username ?? given ?? file) === undefined) return undefined;
    throw invalid('KAFKA_SASL_USERNAME or KAFKA_SASL_PASSWORD is set, but KAFKA_SASL_MECHANISM is not');
  }
  if (given !== undefined && file !== undefined) {
    throw invalid('KAFKA_SASL_PASSWORD and KAFKA_SASL_PASSWORD_FILE are both set: set one of them');
  }
  const password = file === undefined ? given : readSetting('KAFKA_SASL_PASSWORD_FILE', file).trimEnd();
  if (username === undefined || password === undefined) {
    throw invalid('KAFKA_SASL_MECHANISM is set: KAFKA_SASL_USERNAME and KAFKA_SASL_PASSWORD (or …_FILE) must be too');
  }
  return { mechanism, username, password } as KafkaSettings['sasl'];
}

const invalid = (message: string) => new DatabridgeError('DB_CONFIG_INVALID', message);

/** @throws {DatabridgeError} DB_CONFIG_INVALID */
export function readSetting(variable: string, file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new DatabridgeError('DB_CONFIG_INVALID', `${variable}: ${messageOf(error)}`);
  }
}
