/** The Helm chart, rendered as Helm renders it. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseAllDocuments } from 'yaml';
import { command } from '../peers/peers-cache.ts';
import { helm } from './go-tools.ts';
import type { KubernetesObject } from './kubernetes-api.ts';

export const CHART = fileURLToPath(new URL('../../../deploy/helm/databridge-events/', import.meta.url));

/** The least that an installation says. */
export const MINIMAL_VALUES = {
  kafka: { brokers: 'kafka:9093' },
  schemaRegistry: { url: 'https://registry.example' },
  keys: { deliverySecret: 'databridge-delivery-keys', controlPlaneSecret: 'databridge-control-plane-keys' },
  controlPlane: { tokensSecret: 'databridge-tokens' },
};

/** Everything that can be turned on. */
export const FULL_VALUES = {
  ...MINIMAL_VALUES,
  imagePullSecrets: [{ name: 'pull' }],
  kafka: {
    brokers: 'kafka-1:9093,kafka-2:9093',
    tls: { enabled: true, caConfigMap: 'kafka-ca' },
    sasl: {
      mechanism: 'scram-sha-512',
      fanOutSecret: 'kafka-fan-out',
      deliverySecret: 'kafka-delivery',
      controlPlaneSecret: 'kafka-control-plane',
    },
  },
  retry: { plan: '10s*3,1m*3', window: '2h' },
  egress: { allowCidrs: '10.1.0.0/16', denyCidrs: '198.51.100.0/24', allowHttp: false, proxySecret: 'egress-proxy' },
  serviceAccount: { annotations: { 'eks.amazonaws.com/role-arn': 'arn:aws:iam::123456789012:role/databridge' } },
  fanOut: { env: { MAX_IN_FLIGHT_MIB: '64' }, nodeSelector: { pool: 'events' } },
  delivery: {
    autoscaling: { enabled: true },
    tolerations: [{ key: 'events', operator: 'Exists' }],
    podAnnotations: { note: 'text' },
  },
  controlPlane: {
    tokensSecret: 'databridge-tokens',
    oidc: { issuer: 'https://id.example', audience: 'databridge' },
    trustedProxies: '10.0.0.0/8',
    affinity: { nodeAffinity: {} },
  },
  networkPolicy: { metricsNamespace: 'monitoring', apiNamespace: 'ingress' },
};

/** @throws Error with what Helm complained of */
export async function runHelm(args: readonly string[], values?: unknown, env = {}): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'databridge-chart-'));
  try {
    const file = join(directory, 'values.json');
    await writeFile(file, JSON.stringify(values ?? {}));
    const all = values === undefined ? args : [...args, '--values', file];
    // Settings and caches of whoever runs the tests stay out of it.
    const own = { HELM_CONFIG_HOME: directory, HELM_CACHE_HOME: directory, HELM_DATA_HOME: directory };
    return await command(await helm(), all, undefined, { env: { ...own, ...env } });
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** @throws Error with what Helm complained of */
export async function rendered(values: unknown): Promise<KubernetesObject[]> {
  const text = await runHelm(['template', 'events', CHART], values);
  return parseAllDocuments(text)
    .map((document) => document.toJS() as KubernetesObject | null)
    .filter((object) => object !== null);
}
