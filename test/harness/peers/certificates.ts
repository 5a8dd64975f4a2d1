import { execFileSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { command } from './peers-cache.ts';

export interface Certificates {
  readonly dir: string;
  /** PEM. */
  readonly ca: string;
  /** Of a client that the authority knows. */
  readonly client: { readonly certificate: string; readonly key: string };
  /** Of one that it doesn't. */
  readonly stranger: { readonly certificate: string; readonly key: string };
}

/** A private authority, a server of 127.0.0.1 (`server.crt`, `server.key`, both in `server.pem`) and clients. */
export async function makeCertificates(): Promise<Certificates> {
  const dir = await mkdtemp(join(tmpdir(), 'databridge-certificates-'));
  made.add(dir);
  const openssl = (...args: string[]) => command('openssl', args, dir);
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
  const authority = (name: string) =>
    openssl(
      'req',
      '-x509',
      ...key,
      '-days',
      '2',
      '-subj',
      `/CN=${name}`,
      '-keyout',
      `${name}.key`,
      '-out',
      `${name}.crt`,
    );
  const signed = async (name: string, by: string, extension: string) => {
    await writeFile(join(dir, `${name}.ext`), extension);
    await openssl('req', ...key, '-subj', `/CN=${name}`, '-keyout', `${name}.key`, '-out', `${name}.csr`);
    const from = ['-in', `${name}.csr`, '-CA', `${by}.crt`, '-CAkey', `${by}.key`, '-CAcreateserial'];
    await openssl('x509', '-req', ...from, '-days', '2', '-extfile', `${name}.ext`, '-out', `${name}.crt`);
  };
  const text = (name: string) => readFile(join(dir, name), 'utf8');
  await Promise.all([authority('ca'), authority('other-ca')]);
  await signed('server', 'ca', 'subjectAltName=IP:127.0.0.1\n');
  await signed('client', 'ca', 'extendedKeyUsage=clientAuth\n');
  await signed('stranger', 'other-ca', 'extendedKeyUsage=clientAuth\n');
  await writeFile(join(dir, 'server.pem'), (await text('server.crt')) + (await text('server.key')));
  const pair = async (name: string) => ({ certificate: await text(`${name}.crt`), key: await text(`${name}.key`) });
  return { dir, ca: await text('ca.crt'), client: await pair('client'), stranger: await pair('stranger') };
}

/** Signs a certificate request, whose own signature OpenSSL verifies first. @returns PEM */
export function signRequest({ dir }: Certificates, csr: string): string {
  const from = ['-CA', 'ca.crt', '-CAkey', 'ca.key', '-CAcreateserial', '-days', '2', '-extfile', 'client.ext'];
  return execFileSync('openssl', ['x509', '-req', ...from], { cwd: dir, input: csr, encoding: 'utf8', stdio: 'pipe' });
}

const made = new Set<string>();

function removeAll(): void {
  for (const dir of made) rmSync(dir, { recursive: true, force: true });
}

// Servers that run in a process of their own make some as well.
if ('afterAll' in globalThis) afterAll(removeAll);
else process.once('exit', removeAll);
