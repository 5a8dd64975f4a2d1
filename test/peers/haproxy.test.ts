/** HAProxy of Debian as what stands before a customer's endpoint. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { freePorts } from '@databridge/local-platform/free-port';
import { makeCertificates } from '../harness/peers/certificates.ts';
import { debian } from '../harness/peers/debian.ts';
import { startPeer } from '../harness/peers/peer-process.ts';
import { FETCH_TIMEOUT_MS } from '../harness/peers/peers-cache.ts';
import { Front } from '../harness/services/front.ts';
import { BASIC, receiverSuite, type WebServer } from './receiver-suite.ts';

const LIBRARIES = ['liblua5.3-0', 'libpcre2-posix3', 'libopentracing-c-wrapper0', 'libopentracing1'];

let server: WebServer;

beforeAll(async () => {
  const [haproxy, certificates, front, found] = await Promise.all([
    debian('haproxy', ['haproxy', ...LIBRARIES]),
    makeCertificates(),
    Front.start(),
    freePorts(7),
  ]);
  const [http = 0, http1 = 0, http2 = 0, mutual = 0, basic = 0, limited = 0, hasty = 0] = found;
  const { dir } = certificates;
  const tls = (alpn: string) => `ssl crt ${dir}/server.pem alpn ${alpn}`;
  const both = tls('h2,http/1.1');
  const frontend = (name: string, port: number, bind: string, more: string[] = [], backend = 'front') =>
    [
      `frontend ${name}`,
      `  bind 127.0.0.1:${port} ${bind}`,
      ...more.map((line) => `  ${line}`),
      `  default_backend ${backend}`,
    ].join('\n');
  const table = ['stick-table type ip size 1k expire 10s store http_req_rate(10s)', 'http-request track-sc0 src'];
  await writeFile(
    join(dir, 'haproxy.cfg'),
    `defaults
  mode http
  timeout connect 2s
  timeout client 20s
  timeout server 20s
userlist acme
  user ${BASIC.username} insecure-password ${BASIC.password.replaceAll(' ', '\\ ')}
${frontend('http', http, '')}
${frontend('http1', http1, tls('http/1.1'))}
${frontend('http2', http2, both)}
${frontend('mutual', mutual, `${both} ca-file ${dir}/ca.crt verify required`)}
${frontend('basic', basic, both, ['http-request auth realm acme unless { http_auth(acme) }'])}
${frontend('limited', limited, both, [...table, 'http-request deny deny_status 429 if { sc_http_req_rate(0) gt 3 }'])}
${frontend('hasty', hasty, both, [], 'hasty')}
backend front
  http-request set-header x-protocol HTTP/%[req.ver]
  server front ${new URL(front.origin).host}
backend hasty
  timeout server 1s
  server front ${new URL(front.origin).host}
`,
  );
  const args = ['-db', '-f', join(dir, 'haproxy.cfg')];
  await startPeer({ program: haproxy.program, args, env: haproxy.env, port: hasty });
  server = {
    ports: { http, http1, http2, mutual, basic, limited, hasty },
    certificates,
    front,
    withoutCertificate: 'alert|ECONNRESET|socket|SSL',
  };
}, FETCH_TIMEOUT_MS);

receiverSuite('HAProxy', () => server);
