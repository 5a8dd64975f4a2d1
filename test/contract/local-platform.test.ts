import { platform } from '../harness/platform.ts';

test('x', async () => {
  const r = await fetch(`${platform().registryUrl}/subjects`);
  expect(r.status).toBe(200);
});
