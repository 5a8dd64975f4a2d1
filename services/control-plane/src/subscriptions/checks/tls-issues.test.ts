import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseSubscription, type Subscription } from '@databridge/schemas/subscription/subscription';
import { tlsIssues } from './tls-issues.ts';

let dir: string;
let certificate: string;
let key: string;

beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'databridge-tls-issues-'));
  const ec = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-keyout', 'a.key'];
  const args = ['req', '-x509', ...ec, '-days', '30', '-subj', '/CN=acme', '-out', 'a.crt'];
  execFileSync('openssl', args, { cwd: dir, stdio: 'ignore' });
  certificate = readFileSync(join(dir, 'a.crt'), 'utf8');
  key = readFileSync(join(dir, 'a.key'), 'utf8');
});
afterAll(() => rmSync(dir, { recursive: true }));

function subscription(tls: object | undefined, more: object = {}): Subscription {
  const parsed = parseSubscription({
    ...{ customer: 'acme', eventTypes: ['root-cause'], match: { company: ['ACME'] } },
    ...{ destination: { type: 'http', url: 'https://api.acme.example/' }, tls },
    ...more,
  });
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.issues));
  return parsed.subscription;
}

const sealed = (given: Subscription): Subscription => ({ ...given, tls: { ...given.tls, clientKey: 'eyJ.sealed' } });
const afterExpiry = () => Date.now() + 31 * 86_400_000;

test('an expired certificate is refused when it is saved for the first time', () => {
  const given = subscription({ clientCertificate: certificate, clientKey: key });
  expect(tlsIssues(given, undefined, Date.now())).toEqual([]);
  const expected = [{ path: ['tls', 'clientCertificate'], message: expect.stringMatching(/^ran out on/) }];
  expect(tlsIssues(given, undefined, afterExpiry())).toEqual(expected);
  expect(tlsIssues(given, subscription(undefined), afterExpiry())).toEqual(expected);
});

test('a saved certificate that has expired since blocks no other change; the same holds for an authority', () => {
  const tls = { clientCertificate: certificate, clientKey: key, ca: certificate };
  const before = sealed(subscription(tls));
  expect(tlsIssues(subscription(tls, { maxInFlight: 5 }), before, afterExpiry())).toEqual([]);
  // As a change does that leaves the secret as it is.
  expect(tlsIssues({ ...before, maxInFlight: 5 }, before, afterExpiry())).toEqual([]);
});

test('beside a saved certificate, a key that does not belong to it is refused', () => {
  const args = ['genpkey', '-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-out', 'other.key'];
  execFileSync('openssl', args, { cwd: dir, stdio: 'ignore' });
  const given = subscription({ clientCertificate: certificate, clientKey: key });
  const changed = { ...given, tls: { ...given.tls, clientKey: readFileSync(join(dir, 'other.key'), 'utf8') } };
  expect(tlsIssues(changed, sealed(given), Date.now())).toEqual([
    { path: ['tls', 'clientKey'], message: 'does not belong to the client certificate' },
  ]);
});
