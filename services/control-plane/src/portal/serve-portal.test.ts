import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { fastify } from 'fastify';
import { readPortalFiles } from './portal-files.ts';
import { servePortal } from './serve-portal.ts';

const directory = mkdtempSync(join(tmpdir(), 'portal-'));
mkdirSync(join(directory, 'assets'));
writeFileSync(join(directory, 'index.html'), '<!doctype html>page');
writeFileSync(join(directory, 'assets', 'main-abc.js'), 'export {}');
writeFileSync(join(directory, 'assets', 'main-abc.js.gz'), gzipSync('export {}'));
writeFileSync(join(directory, 'notes.txt'), 'not of the portal');
const api = fastify();
servePortal(api, readPortalFiles(directory));
afterAll(() => api.close());

const get = (url: string, headers: Record<string, string> = {}) => api.inject({ url, headers });

test('every address of a page gets the page, under a policy that lets nothing else in', async () => {
  for (const url of ['/portal/', '/portal/customers/acme/events', '/portal/customers/a.b']) {
    const { statusCode, headers, body } = await get(url);
    expect([statusCode, body]).toEqual([200, '<!doctype html>page']);
    const policy = String(headers['content-security-policy']);
    for (const part of [
      "default-src 'none'",
      "style-src 'self'",
      "require-trusted-types-for 'script'",
      "frame-ancestors 'none'",
    ])
      expect(policy).toContain(part);
    expect(policy).not.toMatch(/unsafe|data:|\*/);
    expect(headers['cache-control']).toBe('no-cache');
  }
  expect((await get('/portal')).headers.location).toBe('/portal/');
});

test('files are sent as the build compressed them, known again by their digest, and kept if their name contains one', async () => {
  const { headers, rawPayload } = await get('/portal/assets/main-abc.js', { 'accept-encoding': 'gzip, deflate' });
  expect([headers['content-encoding'], headers['content-type']]).toEqual(['gzip', 'text/javascript; charset=utf-8']);
  expect(gunzipSync(rawPayload).toString()).toBe('export {}');
  const plain = await get('/portal/assets/main-abc.js', { 'accept-encoding': 'br' });
  expect([plain.headers['content-encoding'], plain.body]).toEqual([undefined, 'export {}']);
  expect(headers['cache-control']).toContain('immutable');
  expect((await get('/portal/assets/main-abc.js', { 'if-none-match': String(headers.etag) })).statusCode).toBe(304);
});

test('a file that is not there is not found, and nothing outside is reached', async () => {
  expect((await get('/portal/assets/old.js')).statusCode).toBe(404);
  for (const url of ['/portal/notes.txt', '/portal/..%2f..%2fetc%2fpasswd', '/portal/%2e%2e/index.html'])
    expect((await get(url)).body).not.toMatch(/not of the portal|root:/);
});

test('a directory that contains no portal is refused with what to do', () => {
  expect(() => readPortalFiles(join(directory, 'assets'))).toThrow(/contains no index.html; build it with/);
  expect(() => readPortalFiles('/nowhere')).toThrow(/PORTAL_DIR can't be read/);
});
