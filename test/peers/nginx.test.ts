/** nginx of Debian as a customer's endpoint. */
import { createHash } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { freePorts } from '@databridge/local-platform/free-port';
import { makeCertificates } from '../harness/peers/certificates.ts';
import { debian } from '../harness/peers/debian.ts';
import { startPeer } from '../harness/peers/peer-process.ts';
import { FETCH_TIMEOUT_MS } from '../harness/peers/peers-cache.ts';
import { Front } from '../harness/services/front.ts';
import { BASIC, receiverSuite, type WebServer } from './receiver-suite.ts';

let server: WebServer;

beforeAll(async () => {
  const [nginx, certificates, front, found] = await Promise.all([
    debian('nginx', ['nginx']),
    makeCertificates(),
    Front.start(),
    freePorts(7),
  ]);
  const [http = 0, http1 = 0, http2 = 0, mutual = 0, basic = 0, limited = 0, hasty = 0] = found;
  const { dir } = certificates;
  await mkdir(join(dir, 'tmp'));
  const digest = createHash('sha1').update(BASIC.password).digest('base64');
  await writeFile(join(dir, 'passwords'), `${BASIC.username}:{SHA}${digest}\n`);
  const tls = `ssl_certificate ${dir}/server.crt; ssl_certificate_key ${dir}/server.key;`;
  const pass = `proxy_pass ${front.origin}; proxy_http_version 1.1; proxy_set_header x-protocol $server_protocol; proxy_set_header connection "";`;
  const at = (listen: string, more = '', inLocation = '') =>
    `server { listen 127.0.0.1:${listen}; ${listen.includes('ssl') ? tls : ''} ${more} location / { ${inLocation} ${pass} } }`;
  await writeFile(
    join(dir, 'nginx.conf'),
    `daemon off; master_process off; pid ${dir}/pid; error_log stderr error;
events { worker_connections 512; }
http {
  access_log off; client_max_body_size 2m;
  ${['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((name) => `${name}_temp_path ${dir}/tmp/${name};`).join(' ')}
  limit_req_zone $server_port zone=few:1m rate=1r/s;
  ${at(String(http))}
  ${at(`${http1} ssl`)}
  ${at(`${http2} ssl http2`)}
  ${at(`${mutual} ssl http2`, `ssl_client_certificate ${dir}/ca.crt; ssl_verify_client on;`)}
  ${at(`${basic} ssl http2`, '', `auth_basic acme; auth_basic_user_file ${dir}/passwords;`)}
  ${at(`${limited} ssl http2`, '', 'limit_req zone=few burst=2 nodelay; limit_req_status 429;')}
  ${at(`${hasty} ssl http2`, '', 'proxy_read_timeout 1s;')}
}
`,
  );
  const args = ['-p', dir, '-e', 'stderr', '-c', join(dir, 'nginx.conf')];
  await startPeer({ program: nginx.program, args, env: nginx.env, port: hasty });
  server = {
    ports: { http, http1, http2, mutual, basic, limited, hasty },
    certificates,
    front,
    withoutCertificate: '"kind":"refused".*400',
  };
}, FETCH_TIMEOUT_MS);

receiverSuite('nginx', () => server);
