/** The description, as those who generate clients from it read it: Redocly's recommended rules, and no warning either. */
import { readFileSync } from 'node:fs';
import { createConfig, lintFromString } from '@redocly/openapi-core';

test('docs/openapi.json passes a linter', async () => {
  const source = readFileSync(new URL('../../../../../docs/openapi.json', import.meta.url), 'utf8');
  const config = await createConfig({
    extends: ['recommended'],
    // It is nobody's to use: there is none.
    rules: { 'info-license': 'off' },
  });
  const problems = await lintFromString({ source, config });
  const told = problems.map(({ ruleId, message, location }) => `${ruleId}: ${message} (${location[0]?.pointer})`);
  expect(told).toEqual([]);
});
