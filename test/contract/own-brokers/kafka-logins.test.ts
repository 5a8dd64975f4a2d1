/** A login by OAuth and a client certificate: tokens of a real token server, at a real broker that verifies both. */
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { KafkaAdmin } from '@databridge/kernel/kafka/admin/admin';
import { KafkaProducer } from '@databridge/kernel/kafka/producing/producer';
import { kafkaSettings } from '@databridge/kernel/kafka/settings';
import { readTopic } from '@databridge/kernel/kafka/topic-reader';
import { createLogger } from '@databridge/kernel/log';
import { kafkaVariables } from '@databridge/kernel/settings/config';
import { z } from 'zod';
import { eventually } from '../../harness/eventually.ts';
import { type SecuredBroker, startSecuredBroker } from '../../harness/kafka/secured-broker.ts';
import { CLIENT, startTokenServer, type TokenServer } from '../../harness/servers/token-server.ts';

const run = promisify(execFile);
const TOKENS_LIVE_SECONDS = 35;
let dir: string;
let tokens: TokenServer;
let broker: SecuredBroker;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'databridge-logins-'));
  const [cert, key] = [join(dir, 'client.pem'), join(dir, 'client.key')];
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
  await run('openssl', ['req', '-x509', ...curve, '-subj', '/CN=delivery', '-days', '2', '-keyout', key, '-out', cert]);
  await writeFile(join(dir, 'secret'), `${CLIENT.secret}\n`);
  tokens = await startTokenServer(() => TOKENS_LIVE_SECONDS, 'kafka');
  const keysUrl = tokens.url.replace(/token$/, 'jwks');
  // Kafka 4 reads keys from addresses that are named to the process alone.
  process.env['JAVA_TOOL_OPTIONS'] = `-Dorg.apache.kafka.sasl.oauthbearer.allowed.urls=${keysUrl}`;
  const own = 'listener.name.secured';
  broker = await startSecuredBroker(
    {},
    {
      [`${own}.sasl.enabled.mechanisms`]: 'OAUTHBEARER',
      [`${own}.oauthbearer.sasl.jaas.config`]:
        'org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule required;',
      [`${own}.oauthbearer.sasl.server.callback.handler.class`]:
        'org.apache.kafka.common.security.oauthbearer.OAuthBearerValidatorCallbackHandler',
      [`${own}.oauthbearer.sasl.oauthbearer.jwks.endpoint.url`]: keysUrl,
      [`${own}.oauthbearer.sasl.oauthbearer.expected.audience`]: 'kafka',
      [`${own}.oauthbearer.connections.max.reauth.ms`]: '12000',
      [`${own}.ssl.client.auth`]: 'required',
      [`${own}.ssl.truststore.type`]: 'PEM',
      [`${own}.ssl.truststore.location`]: cert,
      'super.users': `User:ANONYMOUS;User:${CLIENT.id}`,
    },
  );
}, 180_000);
afterAll(async () => {
  delete process.env['JAVA_TOOL_OPTIONS'];
  await broker?.stop();
  await rm(dir, { recursive: true, force: true });
});

const environment = (changes: Record<string, string | undefined> = {}) => ({
  KAFKA_BROKERS: broker.securedBrokers.join(),
  KAFKA_TLS: 'true',
  KAFKA_TLS_CA_FILE: broker.caFile,
  KAFKA_TLS_CERT_FILE: join(dir, 'client.pem'),
  KAFKA_TLS_KEY_FILE: join(dir, 'client.key'),
  KAFKA_SASL_MECHANISM: 'oauthbearer',
  KAFKA_OAUTH_TOKEN_URL: tokens.url,
  KAFKA_OAUTH_CLIENT_ID: CLIENT.id,
  KAFKA_OAUTH_CLIENT_SECRET_FILE: join(dir, 'secret'),
  KAFKA_OAUTH_SCOPE: 'events:write',
  ...changes,
});
const settingsOf = (changes?: Record<string, string | undefined>) =>
  kafkaSettings(z.object(kafkaVariables).parse(environment(changes)), 'logins', createLogger('test', 'silent'));

test('records are written and read, also after sessions had to log in again, and connections share tokens', async () => {
  const settings = settingsOf();
  const admin = new KafkaAdmin(settings);
  const producer = new KafkaProducer(settings);
  await Promise.all([admin.connect(), producer.connect()]);
  await admin.ensureTopics([{ topic: 'logins', partitions: 1, config: {} }]);
  const startedAtMs = performance.now();
  let written = 0;
  // Sessions last twelve seconds: whoever does not log in anew is cut off.
  await eventually(
    async () => {
      await producer.send([{ topic: 'logins', key: null, value: `record ${written}` }]);
      written++;
      return performance.now() - startedAtMs;
    },
    (lastedMs) => lastedMs > 14_000,
  );
  const values: string[] = [];
  await readTopic(settings, 'logins', {
    onBatch: ({ records }) => void values.push(...records.map(({ value }) => String(value))),
  });
  expect(values).toEqual(Array.from({ length: written }, (_, i) => `record ${i}`));
  const asked = tokens.front.passed.filter(({ url }) => url === '/token');
  // A token is used until 30 s before its end: for five seconds, over many logins.
  expect(asked.length).toBeGreaterThan(1);
  expect(asked.length).toBeLessThan(12);
  await Promise.all([admin.disconnect(), producer.disconnect()]);
});

test.each<[string, Record<string, string | undefined>, RegExp]>([
  [
    'a wrong client secret',
    { KAFKA_OAUTH_CLIENT_SECRET_FILE: 'wrong' },
    /The token endpoint http:.* refused the client "data bridge:1": status 401/,
  ],
  [
    'no client certificate',
    { KAFKA_TLS_CERT_FILE: undefined, KAFKA_TLS_KEY_FILE: undefined },
    /certificate|closed|ECONNRESET/i,
  ],
])('%s: the connection fails, and says why', async (_, changes, reason) => {
  await writeFile(join(dir, 'wrong'), 'wrong');
  const { KAFKA_OAUTH_CLIENT_SECRET_FILE: file, ...others } = changes;
  const settings = settingsOf({
    ...others,
    ...(file !== undefined && { KAFKA_OAUTH_CLIENT_SECRET_FILE: join(dir, file) }),
  });
  const admin = new KafkaAdmin(settings);
  await expect(admin.connect()).rejects.toThrow(reason);
});
