import { z } from 'zod';
import { durationMs, kafkaVariables, readConfig, registryVariables, serviceVariables } from './config.ts';

const schema = z.object({ ...kafkaVariables, ...serviceVariables });

test('all mistakes are reported at once, each by its variable', () => {
  const read = () => readConfig(schema, { HTTP_PORT: '70000', DRAIN_TIMEOUT: 'soon', LOG_LEVEL: '' });
  expect(read).toThrow(/3 mistakes:/);
  expect(read).toThrow(/KAFKA_BROKERS: is not set/);
  expect(read).toThrow(/HTTP_PORT: "70000" is not a whole number from 0 to 65535/);
  expect(read).toThrow(/DRAIN_TIMEOUT: "soon" is not a duration/);
});

test('defaults fill what is not set', () => {
  const config = readConfig(schema, { KAFKA_BROKERS: 'a:9092, b:9092' });
  expect(config).toMatchObject({ KAFKA_BROKERS: ['a:9092', 'b:9092'], DRAIN_TIMEOUT: 30_000, LOG_LEVEL: 'info' });
});

const oneOf = (name: string, value: string) => {
  const config: Record<string, unknown> = readConfig(one, {
    KAFKA_BROKERS: 'a:1',
    SCHEMA_REGISTRY_URL: 'http://r',
    [name]: value,
  });
  return config[name];
};
const one = z.object({
  ...kafkaVariables,
  ...serviceVariables,
  ...registryVariables,
  SOME_PASSWORD: z.string().optional(),
});

test.each<[string, string, unknown]>([
  ['HTTP_PORT', ' 8080\n', 8_080],
  ['HTTP_PORT', ' ', 0],
  ['HTTP_PORT', '08080', 8_080],
  ['LOG_LEVEL', 'debug\r\n', 'debug'],
  ['LOG_LEVEL', ' ', 'info'],
  ['DRAIN_TIMEOUT', ' 7m45s ', 465_000],
  ['DRAIN_TIMEOUT', '1h', 3_600_000],
  ['KAFKA_TLS', 'true\n', true],
  ['KAFKA_BROKERS', ' a:9092 , 10.0.0.1:9093 ', ['a:9092', '10.0.0.1:9093']],
  ['SCHEMA_REGISTRY_URL', ' http://registry:8081/apis/ccompat/v7\n', 'http://registry:8081/apis/ccompat/v7'],
  ['SCHEMA_REGISTRY_URL', 'http://[::1]:8081', 'http://[::1]:8081'],
  ['SOME_PASSWORD', ' secret ', ' secret '],
])('%s=%j is %j', (name, text, value) => {
  expect(oneOf(name, text)).toEqual(value);
});

test.each([
  ...['0x50', '1e3', '80.0', '+80', '-1', '-0', '8_080', '65536', 'Infinity'].map((text) => ['HTTP_PORT', text]),
  ...['0s', '1h1ms', '25d', '99999999999999d', '10S', '1w', 'PT10S'].map((text) => ['DRAIN_TIMEOUT', text]),
  ...['TRUE', '1', 'yes'].map((text) => ['KAFKA_TLS', text]),
  ...['a:0', 'a:99999', 'a', 'a:1,', 'a:1;b:2', 'kafka://a:1', 'a:1 b:1'].map((text) => ['KAFKA_BROKERS', text]),
  ...['r:1', 'http://', 'http://r:99999', 'http://@r', 'http://r?x=1', 'http://r/#a', 'http://r1,http://r2'].map(
    (text) => ['SCHEMA_REGISTRY_URL', text],
  ),
] as [string, string][])('%s=%s is refused by its name', (name, text) => {
  expect(() => oneOf(name, text)).toThrow(new RegExp(`1 mistake:\\n  ${name}: `));
});

test.each([
  ['500ms', 500],
  ['10s', 10_000],
  ['7m45s', 465_000],
  ['24h', 86_400_000],
  ['10', undefined],
  ['s', undefined],
  ['-1s', undefined],
  ['1d2h3m4s5ms', 93_784_005],
  ['10s10s', undefined],
  ['45s7m', undefined],
  ['1.5s', undefined],
  ['1e3s', undefined],
  ['10 s', undefined],
  ['', undefined],
])('%s is %p ms', (text, ms) => {
  expect(durationMs(text)).toBe(ms);
});
