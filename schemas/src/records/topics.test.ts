import fc from 'fast-check';
import { customerTopics, formatDelay, parseDelay, systemTopics } from './topics.ts';

describe('retry delays', () => {
  test.each([
    [10_000, '10s'],
    [60_000, '1m'],
    [465_000, '7m45s'],
    [500, '500ms'],
    [86_400_000, '24h'],
  ])('%d ms is %s', (delayMs, name) => {
    expect(formatDelay(delayMs)).toBe(name);
    expect(parseDelay(name)).toBe(delayMs);
  });

  test('every delay has one name, and the name gives the delay back', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 86_400_000 }), (delayMs) => {
        expect(parseDelay(formatDelay(delayMs))).toBe(delayMs);
      }),
    );
  });

  test.each(['', '60s', '0s', '1m0s', '10', '10S', '25h', '-1s', '1m 1s'])('%j names no lane', (name) => {
    expect(parseDelay(name)).toBeUndefined();
  });

  test.each([0, -1, 0.5, 86_400_001, Number.NaN])('%d ms is no delay', (delayMs) => {
    expect(() => formatDelay(delayMs)).toThrow(RangeError);
  });
});

test('all our topics take the broker’s append time, so that due order is offset order', () => {
  for (const { config } of [...systemTopics(), ...customerTopics('acme')]) {
    expect(config['message.timestamp.type']).toBe('LogAppendTime');
  }
});

test('a customer has a main lane, a topic for each retry lane, and dead letters that are deleted by age as well', () => {
  const topics = customerTopics('acme', ['10s', '7m45s']);
  expect(topics.map(({ topic }) => topic)).toEqual([
    'delivery.acme',
    'delivery.acme.retry.10s',
    'delivery.acme.retry.7m45s',
    'delivery.acme.dead',
  ]);
  expect(topics.at(-1)?.config).toMatchObject({ 'cleanup.policy': 'compact,delete', 'retention.ms': '7776000000' });
  expect(topics[0]?.config['retention.ms']).toBe(String(14 * 24 * 3600 * 1000));
});
