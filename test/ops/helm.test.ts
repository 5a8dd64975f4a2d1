/** The Helm chart: what it renders is valid and restricted, a real Kubernetes API takes it, and services start with its environment. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { generateKeySet } from '@databridge/kernel/secrets/key-set';
import { Tokens } from '@databridge/kernel/secrets/tokens';
import { eventually } from '../harness/eventually.ts';
import { CHART, FULL_VALUES, MINIMAL_VALUES, rendered, runHelm } from '../harness/ops/chart.ts';
import { BUILD_TIMEOUT_MS, helm, helmUnittest } from '../harness/ops/go-tools.ts';
import { KubernetesApi, type KubernetesObject } from '../harness/ops/kubernetes-api.ts';
import { command } from '../harness/peers/peers-cache.ts';
import { pythonEnvironment } from '../harness/peers/python.ts';
import { platform } from '../harness/platform.ts';
import { startService } from '../harness/services/processes.ts';

const COMMAND_LINE = fileURLToPath(new URL('../../services/cli/src/main.ts', import.meta.url));

beforeAll(async () => void (await helm()), BUILD_TIMEOUT_MS);

interface PodSpec {
  readonly terminationGracePeriodSeconds: number;
  readonly containers: readonly {
    readonly args: readonly string[];
    readonly env: readonly { readonly name: string; readonly value?: string }[];
  }[];
}

const ofKind = (objects: readonly KubernetesObject[], kind: string) => objects.filter((one) => one.kind === kind);
const podTemplate = (object: KubernetesObject) =>
  (object['spec'] as { template: { metadata: { labels: object }; spec: PodSpec } }).template;

const matrix: [string, object][] = [
  ['the least values', MINIMAL_VALUES],
  ['all values', FULL_VALUES],
  ['OIDC instead of tokens', { ...MINIMAL_VALUES, controlPlane: FULL_VALUES.controlPlane }],
  [
    'everything optional off',
    {
      ...MINIMAL_VALUES,
      topicsJob: { enabled: false },
      podDisruptionBudget: { enabled: false },
      networkPolicy: { enabled: false },
      serviceAccount: { create: false, name: 'mine' },
    },
  ],
];

test.each(matrix)(
  '%s: Helm finds no mistake, and every object is valid',
  async (_name, values) => {
    await runHelm(['lint', CHART, '--strict'], values);
    const objects = await rendered(values);
    const python = await pythonEnvironment('kubernetes-validate-1', ['kubernetes-validate==1.37.0']);
    const directory = await mkdtemp(join(tmpdir(), 'databridge-objects-'));
    try {
      const files = objects.map((object, index) => ({ object, file: join(directory, `${index}-${object.kind}.json`) }));
      for (const { object, file } of files) await writeFile(file, JSON.stringify(object));
      await command(python('kubernetes-validate'), ['--strict', '--version', '1.37', ...files.map(({ file }) => file)]);
    } finally {
      await rm(directory, { recursive: true, force: true });
    }
  },
  300_000,
);

const mistakes: [string, object, RegExp][] = [
  ['no brokers', { ...MINIMAL_VALUES, kafka: {} }, /kafka\.brokers is not set/],
  ['no registry', { ...MINIMAL_VALUES, schemaRegistry: {} }, /schemaRegistry\.url is not set/],
  ['no keys', { ...MINIMAL_VALUES, keys: {} }, /keys\.(deliverySecret|controlPlaneSecret) is not set/],
  ['nobody who may use the API', { ...MINIMAL_VALUES, controlPlane: {} }, /Nobody could use the API/],
  ['a misspelt name', { ...MINIMAL_VALUES, dilevery: {} }, /dilevery/],
  ['a misspelt name further inside', { ...MINIMAL_VALUES, kafka: { brokers: 'k:1', tsl: {} } }, /tsl/],
  ['brokers without ports', { ...MINIMAL_VALUES, kafka: { brokers: 'kafka' } }, /brokers/],
  ['a registry with a password in its URL', { ...MINIMAL_VALUES, schemaRegistry: { url: 'https://a:b@c' } }, /url/],
  [
    'SASL without the users',
    { ...MINIMAL_VALUES, kafka: { brokers: 'k:1', sasl: { mechanism: 'plain' } } },
    /each service needs the Secret of its Kafka user/,
  ],
];

test.each(mistakes)('%s: refused with a message', async (_name, values, words) => {
  await expect(rendered(values)).rejects.toThrow(words);
});

test(
  'the chart passes its own tests, in deploy/helm/databridge-events/tests',
  async () => {
    expect(await command(await helmUnittest(), [CHART])).toMatch(/Tests: +[1-9]\d* passed/);
  },
  BUILD_TIMEOUT_MS,
);

test('pods are given longer to stop than a service takes to drain', async () => {
  for (const deployment of ofKind(await rendered({ ...MINIMAL_VALUES, drainTimeoutSeconds: 90 }), 'Deployment')) {
    const { spec } = podTemplate(deployment);
    expect(spec.terminationGracePeriodSeconds).toBe(105);
    expect(spec.containers[0]?.env).toContainEqual({ name: 'DRAIN_TIMEOUT', value: '90s' });
  }
});

test('the version of the chart is the version of the project', async () => {
  const { default: manifest } = await import('../../package.json', { with: { type: 'json' } });
  expect(await runHelm(['show', 'chart', CHART])).toContain(`appVersion: ${manifest.version}`);
});

test('services start with the environment of the rendered Deployments', async () => {
  const files = await mkdtemp(join(tmpdir(), 'databridge-files-'));
  try {
    const { brokers, registryUrl } = platform();
    const values = {
      ...MINIMAL_VALUES,
      kafka: { brokers: brokers.join(','), tls: { enabled: false } },
      schemaRegistry: { url: registryUrl },
    };
    const keys = generateKeySet('test');
    await writeFile(join(files, 'delivery.keys'), keys.delivery);
    await writeFile(join(files, 'control-plane.keys'), keys.controlPlane);
    await writeFile(join(files, 'api-tokens'), Tokens.generate('test', 'operator').line);
    const objects = await rendered(values);
    // What Kubernetes does: it mounts files of Secrets, and tells facts of the pod.
    const environmentOf = (service: string, container: PodSpec['containers'][number] | undefined) =>
      Object.fromEntries(
        (container?.env ?? []).map(({ name, value }) => [
          name,
          (value ?? `pod-${name.toLowerCase()}`)
            .replace('/etc/databridge/keys/keys', join(files, `${service}.keys`))
            .replace(/^\/etc\/databridge\/[\w-]+\/api-tokens$/, join(files, 'api-tokens'))
            .replace('$(POD_IP)', '127.0.0.1'),
        ]),
      );
    for (const job of ofKind(objects, 'Job')) {
      const [container] = podTemplate(job).spec.containers;
      const [name, ...args] = container?.args ?? [];
      expect(name).toBe('databridge');
      await command(process.execPath, [COMMAND_LINE, ...args], undefined, {
        env: environmentOf(name ?? '', container),
      });
    }
    const deployments = ofKind(objects, 'Deployment');
    expect(deployments).toHaveLength(3);
    for (const deployment of deployments) {
      const [container] = podTemplate(deployment).spec.containers;
      const service = container?.args[0] as 'fan-out' | 'delivery' | 'control-plane';
      // Ports that are free on this machine.
      const ports = { HTTP_PORT: '0', ...(service === 'control-plane' && { API_PORT: '0' }) };
      const running = await startService(service, { ...environmentOf(service, container), ...ports });
      await running.stop();
    }
  } finally {
    await rm(files, { recursive: true, force: true });
  }
}, 120_000);

describe('with a Kubernetes API server', () => {
  let api: KubernetesApi;
  const namespace = '/api/v1/namespaces/events';
  const deploymentPath = '/apis/apps/v1/namespaces/events/deployments/events-delivery';

  beforeAll(async () => {
    api = await KubernetesApi.start();
    const labels = { 'pod-security.kubernetes.io/enforce': 'restricted' };
    await api.create('/api/v1/namespaces', { metadata: { name: 'events', labels } });
  }, BUILD_TIMEOUT_MS);

  /** No node runs the hook's Job: as soon as it is there, it is said to have succeeded. */
  async function withTopicsJob(run: () => Promise<unknown>): Promise<void> {
    const job = '/apis/batch/v1/namespaces/events/jobs/events-topics';
    const done = run();
    let hasEnded = false;
    const ended = done.finally(() => {
      hasEnded = true;
    });
    ended.catch(() => undefined);
    await eventually(
      async () => (hasEnded ? 200 : (await api.request('GET', job)).status),
      (status) => status === 200,
    );
    const at = new Date().toISOString();
    const conditions = ['SuccessCriteriaMet', 'Complete'].map((type) => ({
      ...{ type, status: 'True', lastTransitionTime: at, lastProbeTime: at },
    }));
    await api.request('PATCH', `${job}/status`, {
      status: { succeeded: 1, conditions, startTime: at, completionTime: at },
    });
    await ended;
  }

  const install = (command: string, more: readonly string[], values: unknown) =>
    runHelm([command, 'events', CHART, '--namespace', 'events', '--timeout', '120s', ...more], values, {
      KUBECONFIG: api.kubeconfig,
    });

  test('it is installed, upgraded and rolled back', async () => {
    const image = async () => {
      const { body } = await api.request('GET', deploymentPath);
      return (body as { spec: { template: { spec: { containers: { image: string }[] } } } }).spec.template.spec
        .containers[0]?.image;
    };
    await withTopicsJob(() => install('install', [], MINIMAL_VALUES));
    expect(await image()).toBe('databridge-events:0.1.0');
    await withTopicsJob(() => install('upgrade', [], { ...MINIMAL_VALUES, image: { tag: '0.2.0' } }));
    expect(await image()).toBe('databridge-events:0.2.0');
    await runHelm(['rollback', 'events', '1', '--namespace', 'events', '--no-hooks'], undefined, {
      KUBECONFIG: api.kubeconfig,
    });
    expect(await image()).toBe('databridge-events:0.1.0');
    await runHelm(['uninstall', 'events', '--namespace', 'events'], undefined, { KUBECONFIG: api.kubeconfig });
    expect((await api.request('GET', deploymentPath)).status).toBe(404);
  }, 300_000);

  test('every pod passes the Pod Security standard "restricted"', async () => {
    const objects = await rendered(FULL_VALUES);
    const workloads = [...ofKind(objects, 'Deployment'), ...ofKind(objects, 'Job')];
    expect(workloads.map(({ metadata }) => metadata.name).sort()).toEqual([
      'events-control-plane',
      'events-delivery',
      'events-fan-out',
      'events-topics',
    ]);
    for (const workload of workloads) {
      const { metadata, spec } = podTemplate(workload);
      const pod = { metadata: { ...metadata, name: workload.metadata.name }, spec };
      await api.create(`${namespace}/pods?dryRun=All`, pod);
    }
    // The namespace does enforce it.
    const loose = { metadata: { name: 'loose' }, spec: { containers: [{ name: 'loose', image: 'loose' }] } };
    expect((await api.request('POST', `${namespace}/pods?dryRun=All`, loose)).status).toBe(403);
  }, 120_000);
});
