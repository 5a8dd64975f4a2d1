/** A Kubernetes API server with its etcd. No node runs, so no pod starts: what is tested is what the API accepts. */
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePorts } from '@databridge/local-platform/free-port';
import { Agent, fetch } from 'undici';
import { eventually } from '../eventually.ts';
import { startPeer } from '../peers/peer-process.ts';
import { etcd, kubeApiserver } from './go-tools.ts';

export interface KubernetesObject {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly [more: string]: unknown };
  readonly [more: string]: unknown;
}

export class KubernetesApi {
  readonly kubeconfig: string;
  readonly #url: string;
  readonly #token: string;
  // The server signs its certificate itself, at each start anew.
  readonly #dispatcher = new Agent({ connect: { rejectUnauthorized: false } });

  private constructor(url: string, token: string, kubeconfig: string) {
    this.#url = url;
    this.#token = token;
    this.kubeconfig = kubeconfig;
  }

  /** Ended with the test file. */
  static async start(): Promise<KubernetesApi> {
    const [etcdProgram, apiProgram] = [await etcd(), await kubeApiserver()];
    const directory = await mkdtemp(join(tmpdir(), 'databridge-kubernetes-'));
    directories.add(directory);
    const [client = 0, peer = 0, secure = 0] = await freePorts(3);
    const etcdUrl = `http://127.0.0.1:${client}`;
    const peerUrl = `http://127.0.0.1:${peer}`;
    await startPeer({
      program: etcdProgram,
      args: [
        ...['--data-dir', join(directory, 'etcd'), '--log-level', 'error', '--unsafe-no-fsync'],
        ...['--listen-client-urls', etcdUrl, '--advertise-client-urls', etcdUrl],
        ...['--listen-peer-urls', peerUrl, '--initial-advertise-peer-urls', peerUrl],
        ...['--initial-cluster', `default=${peerUrl}`],
      ],
      port: client,
    });
    const token = randomBytes(16).toString('hex');
    const certificates = join(directory, 'certificates');
    await mkdir(certificates);
    const key = join(certificates, 'service-accounts.key');
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    await writeFile(key, privateKey.export({ type: 'pkcs1', format: 'pem' }));
    const tokens = join(directory, 'tokens.csv');
    await writeFile(tokens, `${token},admin,admin,system:masters\n`);
    await startPeer({
      program: apiProgram,
      args: [
        ...['--etcd-servers', etcdUrl, '--secure-port', String(secure), '--bind-address', '127.0.0.1'],
        ...['--cert-dir', certificates, '--token-auth-file', tokens, '--authorization-mode', 'RBAC'],
        ...['--service-account-issuer', 'https://kubernetes.test', '--service-account-key-file', key],
        ...['--service-account-signing-key-file', key, '--service-cluster-ip-range', '10.96.0.0/16'],
        ...['--disable-admission-plugins', 'ServiceAccount', '--v', '0'],
      ],
      port: secure,
      readyWithinMs: 180_000,
    });
    const url = `https://127.0.0.1:${secure}`;
    const kubeconfig = join(directory, 'kubeconfig');
    const server = { server: url, 'insecure-skip-tls-verify': true };
    await writeFile(
      kubeconfig,
      JSON.stringify({
        apiVersion: 'v1',
        kind: 'Config',
        clusters: [{ name: 'test', cluster: server }],
        users: [{ name: 'admin', user: { token } }],
        contexts: [{ name: 'test', context: { cluster: 'test', user: 'admin' } }],
        'current-context': 'test',
      }),
    );
    const api = new KubernetesApi(url, token, kubeconfig);
    await eventually(
      () => api.request('GET', '/readyz').catch(() => ({ status: 0, body: undefined })),
      ({ status }) => status === 200,
      180_000,
    );
    return api;
  }

  /** @param patch the content type of a PATCH */
  async request(method: string, path: string, body?: unknown, patch = 'application/merge-patch+json') {
    const answer = await fetch(this.#url + path, {
      method,
      dispatcher: this.#dispatcher,
      headers: {
        authorization: `Bearer ${this.#token}`,
        'content-type': method === 'PATCH' ? patch : 'application/json',
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const text = await answer.text();
    return { status: answer.status, body: text.startsWith('{') ? JSON.parse(text) : text };
  }

  /** @throws Error with the answer, if the API refuses the object */
  async create(path: string, object: unknown): Promise<void> {
    const { status, body } = await this.request('POST', path, object);
    if (status !== 201) throw new Error(`${path} answered ${status}: ${JSON.stringify(body)}`);
  }
}

const directories = new Set<string>();

afterAll(async () => {
  await Promise.all([...directories].map((directory) => rm(directory, { recursive: true, force: true })));
});
