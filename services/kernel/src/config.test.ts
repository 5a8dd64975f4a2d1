import { z } from 'zod';
import { durationMs, kafkaVariables, readConfig, serviceVariables } from './config.ts';

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

test.each([
  ['500ms', 500],
  ['10s', 10_000],
  ['7m45s', 465_000],
  ['24h', 86_400_000],
  ['10', undefined],
  ['s', undefined],
  ['-1s', undefined],
])('%s is %p ms', (text, ms) => {
  expect(durationMs(text)).toBe(ms);
});
