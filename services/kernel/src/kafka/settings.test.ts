import { z } from 'zod';
import { createLogger } from '../log.ts';
import { kafkaVariables, readConfig } from '../settings/config.ts';
import { kafkaSettings } from './settings.ts';

const log = createLogger('test', 'silent');
const read = (env: Record<string, string>) =>
  kafkaSettings(readConfig(z.object(kafkaVariables), { KAFKA_BROKERS: 'a:9092', ...env }), 'test', log);
const CREDENTIALS = { KAFKA_SASL_USERNAME: 'fan-out', KAFKA_SASL_PASSWORD: 'hunter2 ' };

test('without TLS and credentials, neither is used', () => {
  expect(read({})).toEqual({ brokers: ['a:9092'], clientId: 'test', log });
});

test('a password is used as it is', () => {
  const sasl = { mechanism: 'plain', username: 'fan-out', password: 'hunter2 ' };
  expect(read({ KAFKA_TLS: 'true', KAFKA_SASL_MECHANISM: 'plain', ...CREDENTIALS })).toMatchObject({ ssl: true, sasl });
});

test.each<[string, Record<string, string>, RegExp]>([
  ['credentials without a mechanism', CREDENTIALS, /KAFKA_SASL_MECHANISM is not/],
  ['a password file without a mechanism', { KAFKA_SASL_PASSWORD_FILE: '/nowhere' }, /KAFKA_SASL_MECHANISM is not/],
  ['a mechanism alone', { KAFKA_SASL_MECHANISM: 'plain' }, /must be too/],
  [
    'two passwords',
    { KAFKA_SASL_MECHANISM: 'plain', ...CREDENTIALS, KAFKA_SASL_PASSWORD_FILE: '/nowhere' },
    /both set/,
  ],
  [
    'a client certificate without its key',
    { KAFKA_TLS: 'true', KAFKA_TLS_CERT_FILE: '/nowhere' },
    /both of KAFKA_TLS_CERT_FILE/,
  ],
  [
    'a client certificate without TLS',
    { KAFKA_TLS_CERT_FILE: '/nowhere', KAFKA_TLS_KEY_FILE: '/nowhere' },
    /is not true/,
  ],
  ['OAuth without its parts', { KAFKA_SASL_MECHANISM: 'oauthbearer' }, /KAFKA_OAUTH_TOKEN_URL.* must be set too/],
  [
    'OAuth with a password',
    { KAFKA_SASL_MECHANISM: 'oauthbearer', KAFKA_SASL_PASSWORD: 'x' },
    /KAFKA_SASL_PASSWORD is set, but KAFKA_SASL_MECHANISM is oauthbearer/,
  ],
  ['an OAuth client without a mechanism', { KAFKA_OAUTH_CLIENT_ID: 'x' }, /KAFKA_SASL_MECHANISM is not/],
  ['MSK without its region', { KAFKA_SASL_MECHANISM: 'aws-msk-iam' }, /KAFKA_MSK_REGION must be set too/],
  ['a region without MSK', { KAFKA_MSK_REGION: 'eu-west-1' }, /KAFKA_SASL_MECHANISM is not/],
  ['an authority without TLS', { KAFKA_TLS_CA_FILE: '/nowhere' }, /KAFKA_TLS is not true/],
])('%s: refused, so that no service speaks to Kafka less safely than somebody meant', (_what, env, words) => {
  expect(() => read(env)).toThrow(
    expect.objectContaining({ code: 'DB_CONFIG_INVALID', message: expect.stringMatching(words) }),
  );
});

test('for MSK, the login is a request that is signed with the credentials of the process', async () => {
  const before = process.env;
  process.env = { ...before, AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE', AWS_SECRET_ACCESS_KEY: 'for-this-test' };
  try {
    const { sasl } = read({ KAFKA_TLS: 'true', KAFKA_SASL_MECHANISM: 'aws-msk-iam', KAFKA_MSK_REGION: 'eu-west-1' });
    if (sasl?.mechanism !== 'oauthbearer') throw new Error(`not a login by token: ${sasl?.mechanism}`);
    const [first, second] = await Promise.all([sasl.oauthBearerProvider(), sasl.oauthBearerProvider()]);
    expect(second).toEqual(first);
    const url = new URL(Buffer.from(first.value, 'base64url').toString('utf8'));
    expect(url.host).toBe('kafka.eu-west-1.amazonaws.com');
    expect(url.searchParams.get('Action')).toBe('kafka-cluster:Connect');
    expect(url.searchParams.get('X-Amz-Credential')).toMatch(/^AKIDEXAMPLE\/\d{8}\/eu-west-1\/kafka-cluster\//);
  } finally {
    process.env = before;
  }
});

test.each(['eu-west-1', 'us-gov-west-1', 'us-iso-east-1', 'eusc-de-east-1'])('MSK is in %s', (region) => {
  const settings = { KAFKA_TLS: 'true', KAFKA_SASL_MECHANISM: 'aws-msk-iam', KAFKA_MSK_REGION: region };
  expect(() => read(settings)).not.toThrow();
});
