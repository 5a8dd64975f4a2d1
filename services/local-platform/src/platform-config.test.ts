import { startLocalPlatform } from './local-platform.ts';
import { readMachineConfig, readStartConfig } from './platform-config.ts';

test('programs are in the cache directory, data in the data directory, unless settings name others', () => {
  const env = { XDG_CACHE_HOME: '/c', XDG_DATA_HOME: '/d' };
  expect(readMachineConfig(env).cacheDir).toBe('/c/databridge-events');
  expect(readStartConfig(env).dataDir).toBe('/d/databridge-events');
  expect(readStartConfig({ ...env, LOCAL_DATA_DIR: '/mine' }).dataDir).toBe('/mine');
});

test('a Kafka and a registry that run already are used as they are', async () => {
  const given = { brokers: ['kafka-1:9092'], registryUrl: 'http://registry:8081' };
  expect(await startLocalPlatform(given)).toMatchObject(given);
});

test.each([
  [{ brokers: ['kafka-1:9092'] }, 'SCHEMA_REGISTRY_URL is not'],
  [{ registryUrl: 'http://registry:8081' }, 'KAFKA_BROKERS is not'],
])('one without the other is refused: %o', async (given, message) => {
  await expect(startLocalPlatform(given)).rejects.toMatchObject({
    code: 'DB_PLATFORM_HALF_CONFIGURED',
    message: expect.stringContaining(message),
  });
});
