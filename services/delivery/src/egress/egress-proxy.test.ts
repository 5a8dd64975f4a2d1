import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { egressProxy } from './egress-proxy.ts';

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'egress-proxy-'));
});
afterAll(() => rm(directory, { recursive: true }));

async function fileWith(text: string): Promise<string> {
  const file = join(directory, 'proxy');
  await writeFile(file, text);
  return file;
}

test('the proxy is that of the variable or of the file, and none where neither is set', async () => {
  const url = 'http://user:hunter2@proxy.example:3128';
  expect(egressProxy({})).toBeUndefined();
  expect(egressProxy({ EGRESS_PROXY: url })?.host).toBe('proxy.example:3128');
  expect(egressProxy({ EGRESS_PROXY_FILE: await fileWith(`${url}\n`) })).toMatchObject({
    username: 'user',
    port: '3128',
  });
});

test('both at once, and a file without an address, are refused by name, and no password is shown', async () => {
  const given = 'http://user:hunter2@proxy.example:3128';
  const file = await fileWith('user:hunter2@proxy');
  expect(() => egressProxy({ EGRESS_PROXY: given, EGRESS_PROXY_FILE: file })).toThrow(/one of EGRESS_PROXY and/);
  const refused = () => egressProxy({ EGRESS_PROXY_FILE: file });
  expect(refused).toThrow(/EGRESS_PROXY_FILE: the content of .* must be the http/);
  expect(refused).not.toThrow(/hunter2/);
  expect(() => egressProxy({ EGRESS_PROXY_FILE: join(directory, 'missing') })).toThrow(/EGRESS_PROXY_FILE/);
});
