/** Logs a service in to the brokers by SASL, as the `KAFKA_SASL_…` variables describe it. */
import { DatabridgeError } from '../../errors.ts';
import { readSecretSetting } from '../../settings/read-setting.ts';
import type { KafkaConfig } from '../kafka-config.ts';
import type { KafkaSettings } from '../kafkajs/client.ts';
import { mskIamTokens } from './msk-iam-tokens.ts';
import { oauthTokens } from './oauth-tokens.ts';

type Sasl = NonNullable<KafkaSettings['sasl']>;
/** The variables that only one mechanism uses, by mechanism. */
const PASSWORD = ['KAFKA_SASL_USERNAME', 'KAFKA_SASL_PASSWORD', 'KAFKA_SASL_PASSWORD_FILE'] as const;
const OAUTH = [
  'KAFKA_OAUTH_TOKEN_URL',
  'KAFKA_OAUTH_CLIENT_ID',
  'KAFKA_OAUTH_CLIENT_SECRET_FILE',
  'KAFKA_OAUTH_SCOPE',
] as const;
const MSK = ['KAFKA_MSK_REGION'] as const;

/**
 * @returns undefined if there is no login
 * @throws {DatabridgeError} DB_CONFIG_INVALID: a file that can't be read, a part that is missing, or one that the
 *   mechanism does not use
 */
export function saslOf(config: KafkaConfig): Sasl | undefined {
  const { KAFKA_SASL_MECHANISM: mechanism } = config;
  switch (mechanism) {
    case undefined:
      // Otherwise the service would connect without a login, although one was configured.
      refuseUnused(config, 'KAFKA_SASL_MECHANISM is not', [...PASSWORD, ...OAUTH, ...MSK]);
      return undefined;
    case 'oauthbearer':
      refuseUnused(config, 'KAFKA_SASL_MECHANISM is oauthbearer', [...PASSWORD, ...MSK]);
      return { mechanism: 'oauthbearer', oauthBearerProvider: oauthTokens(oauthClient(config)) };
    case 'aws-msk-iam':
      refuseUnused(config, 'KAFKA_SASL_MECHANISM is aws-msk-iam', [...PASSWORD, ...OAUTH]);
      if (config.KAFKA_MSK_REGION === undefined)
        throw invalid('KAFKA_SASL_MECHANISM is aws-msk-iam: KAFKA_MSK_REGION must be set too');
      return { mechanism: 'oauthbearer', oauthBearerProvider: mskIamTokens(config.KAFKA_MSK_REGION) };
    default:
      refuseUnused(config, `KAFKA_SASL_MECHANISM is ${mechanism}`, [...OAUTH, ...MSK]);
      return { mechanism, ...passwordLogin(config) } as Sasl;
  }
}

function refuseUnused(config: KafkaConfig, why: string, unused: readonly (keyof KafkaConfig)[]): void {
  const set = unused.filter((name) => config[name] !== undefined);
  if (set.length > 0) throw invalid(`${set.join(', ')} ${set.length === 1 ? 'is' : 'are'} set, but ${why}`);
}

function passwordLogin(config: KafkaConfig): { username: string; password: string } {
  const { KAFKA_SASL_USERNAME: username, KAFKA_SASL_PASSWORD: given, KAFKA_SASL_PASSWORD_FILE: file } = config;
  if (given !== undefined && file !== undefined) {
    throw invalid('KAFKA_SASL_PASSWORD and KAFKA_SASL_PASSWORD_FILE are both set: set one of them');
  }
  const password = file === undefined ? given : readSecretSetting('KAFKA_SASL_PASSWORD_FILE', file);
  if (username !== undefined && password !== undefined) return { username, password };
  throw invalid('KAFKA_SASL_MECHANISM is set: KAFKA_SASL_USERNAME and KAFKA_SASL_PASSWORD (or …_FILE) must be too');
}

function oauthClient(config: KafkaConfig) {
  const { KAFKA_OAUTH_TOKEN_URL: url, KAFKA_OAUTH_CLIENT_ID: clientId, KAFKA_OAUTH_CLIENT_SECRET_FILE: file } = config;
  if (url === undefined || clientId === undefined || file === undefined) {
    throw invalid(
      'KAFKA_SASL_MECHANISM is oauthbearer: KAFKA_OAUTH_TOKEN_URL, KAFKA_OAUTH_CLIENT_ID and KAFKA_OAUTH_CLIENT_SECRET_FILE must be set too',
    );
  }
  // Read for each token request, so that a replaced secret needs no restart.
  const secret = () => readSecretSetting('KAFKA_OAUTH_CLIENT_SECRET_FILE', file);
  secret();
  return { tokenUrl: new URL(url), clientId, secret, scope: config.KAFKA_OAUTH_SCOPE };
}

const invalid = (message: string) => new DatabridgeError('DB_CONFIG_INVALID', message);
