import { z } from 'zod';
import { kafkaVariables, readConfig } from '../config.ts';
import { createLogger } from '../log.ts';
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
  ['an authority without TLS', { KAFKA_TLS_CA_FILE: '/nowhere' }, /KAFKA_TLS is not true/],
])('%s: refused, so that no service speaks to Kafka less safely than somebody meant', (_what, env, words) => {
  expect(() => read(env)).toThrow(
    expect.objectContaining({ code: 'DB_CONFIG_INVALID', message: expect.stringMatching(words) }),
  );
});
