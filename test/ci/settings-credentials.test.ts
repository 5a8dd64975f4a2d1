/** Whatever is put into whatever setting of whatever service: a value or a mistake in words, and no password in a log. */
import { controlPlaneVariables } from '@databridge/control-plane/config';
import { deliveryVariables } from '@databridge/delivery/config';
import { fanOutVariables } from '@databridge/fan-out/config';
import { createLogger } from '@databridge/kernel/log';
import { readConfig } from '@databridge/kernel/settings/config';
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

const ODD = [
  'nonsense',
  ' ',
  '-1',
  '0',
  '0x10',
  '1e309',
  'NaN',
  '999999999999999999999d',
  '%',
  'http://%zz@h',
  'a\nb',
  '\u0000',
  '[]',
  '://',
  ',',
];
/** A setting that several services share is tried in one of them. */
const distinct = settings.filter(([, name], at) => settings.findIndex(([, other]) => other === name) === at);
test.each(distinct)('%s: %s takes odd values, or refuses them by its name', (_service, name, schema) => {
  for (const value of ODD) {
    try {
      readConfig(schema, { ...needed, [name]: value });
    } catch (error) {
      const { code, message } = error as { code?: string; message: string };
      expect({ value, code, names: message.includes(`${name}: `) }).toEqual({
        value,
        code: 'DB_CONFIG_INVALID',
        names: true,
      });
    }
  }
});

/** Only the egress proxy's may be used as it is: others would be passed on, or sent to nobody. */
test.each(settings.filter(([, name]) => /URL|ISSUER/.test(name)))('%s: %s takes no credentials', (_, name, schema) => {
  expect(() => readConfig(schema, { ...needed, [name]: GIVEN })).toThrow(/user name or a password/);
});
