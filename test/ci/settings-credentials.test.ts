/** Whatever setting a URL with a password is put into, of whatever service: no message and no log line shows it. */
import { controlPlaneVariables } from '@databridge/control-plane/config';
import { deliveryVariables } from '@databridge/delivery/config';
import { fanOutVariables } from '@databridge/fan-out/config';
import { readConfig } from '@databridge/kernel/config';
import { createLogger } from '@databridge/kernel/log';
import type { z } from 'zod';

const GIVEN = 'http://user:s3cret@somewhere.example:8081/';
const needed = { KAFKA_BROKERS: 'localhost:9092', SCHEMA_REGISTRY_URL: 'http://localhost:8081' };
const services: [string, z.ZodType][] = [
  ['delivery', deliveryVariables],
  ['control-plane', controlPlaneVariables],
  ['fan-out', fanOutVariables],
];

const namesOf = (schema: unknown): string[] => {
  const { shape, in: before } = schema as { shape?: object; in?: unknown };
  if (shape) return Object.keys(shape);
  return namesOf((before ?? (schema as { def: { in: unknown } }).def.in) as unknown);
};

const settings = services.flatMap(([service, schema]) =>
  namesOf(schema).map((name): [string, string, z.ZodType] => [service, name, schema]),
);

test('every service has its settings tried', () => {
  for (const [service] of services) {
    expect(settings.filter(([one]) => one === service).length).toBeGreaterThan(20);
  }
});

test.each(settings)('%s: %s', (_service, name, schema) => {
  const lines: string[] = [];
  const log = createLogger('test', 'trace', { write: (line) => void lines.push(line) });
  try {
    log.info({ config: readConfig(schema, { ...needed, [name]: GIVEN }) }, 'configured');
  } catch (error) {
    log.fatal({ err: error }, (error as Error).message);
  }
  expect(lines).toHaveLength(1);
  expect(lines[0]).not.toContain('s3cret');
});

/** Only the egress proxy's may be used as it is: others would be passed on, or sent to nobody. */
test.each(settings.filter(([, name]) => /URL|ISSUER/.test(name)))('%s: %s takes no credentials', (_, name, schema) => {
  expect(() => readConfig(schema, { ...needed, [name]: GIVEN })).toThrow(/user name or a password/);
});
