import { SchemaRegistry } from '@databridge/kernel/registry/schema-registry';
import { examineRegistry } from './registry-check.ts';

const subjects = ['root-cause.events-value'];
const answering = (level: string | undefined) => ({ compatibilityOf: async () => level });

test('a registry with our compatibility rule is ok', async () => {
  expect(await examineRegistry(answering('FULL_TRANSITIVE'), subjects)).toMatchObject([{ verdict: 'ok' }]);
});

test.each([
  ['BACKWARD', /compatibility of subject root-cause\.events-value is BACKWARD, and must be FULL_TRANSITIVE/],
  [undefined, /is not set, and must be FULL_TRANSITIVE/],
])('the rule %s is a fault', async (level, detail) => {
  const [finding] = await examineRegistry(answering(level), subjects);
  expect(finding).toMatchObject({ verdict: 'fault', detail: expect.stringMatching(detail) });
});

test('a registry that does not answer is a fault, with the address at fault', async () => {
  // Nobody listens on port 1.
  const registry = new SchemaRegistry({ url: 'http://127.0.0.1:1' });
  const [finding] = await examineRegistry(registry, subjects);
  expect(finding).toMatchObject({ verdict: 'fault', advice: expect.stringContaining('SCHEMA_REGISTRY_URL') });
});

test('without an address of one, nothing is said of it', async () => {
  expect(await examineRegistry(undefined, subjects)).toMatchObject([{ verdict: 'unknown' }]);
});
