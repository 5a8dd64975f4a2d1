/** Programs that are built from Go modules, once, into the cache. The first build of all takes some 20 minutes of processor time. */
import { cp, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { cached, command } from '../peers/peers-cache.ts';

/** Building the Kubernetes API server on two cores. */
export const BUILD_TIMEOUT_MS = 3_600_000;

const options = { timeoutMs: BUILD_TIMEOUT_MS };

/** @returns the path of the program */
export async function helm(): Promise<string> {
  return await installed('helm', 'helm.sh/helm/v4/cmd/helm@v4.3.1', 'helm');
}

/** @returns the path of the program */
export async function etcd(): Promise<string> {
  return await installed('etcd', 'go.etcd.io/etcd/server/v3@v3.7.3', 'server');
}

/** @returns the path of the program */
export async function kubeApiserver(): Promise<string> {
  // Its staging modules are replaced by their published versions, which "go install" does not do.
  const home = await cached('kube-apiserver-1.37.2', async (dir) => {
    const source = fileURLToPath(new URL('kube-apiserver/', import.meta.url));
    for (const file of await readdir(source)) await cp(join(source, file), join(dir, file));
    const version = 'k8s.io/component-base/version';
    // Without it the server calls itself v0.0.0, and Helm refuses the chart for that.
    const flags = `-X ${version}.gitVersion=v1.37.2 -X ${version}.gitMajor=1 -X ${version}.gitMinor=37`;
    const target = 'k8s.io/kubernetes/cmd/kube-apiserver';
    await command('go', ['build', '-mod=mod', '-ldflags', flags, '-o', 'kube-apiserver', target], dir, options);
  });
  return join(home, 'kube-apiserver');
}

/** @returns the path of the program */
export async function jaeger(): Promise<string> {
  // Its go.mod has replace directives, which "go install" refuses.
  const home = await cached('jaeger-1.76.0', async (dir) => {
    await cp(fileURLToPath(new URL('jaeger/go.mod', import.meta.url)), join(dir, 'go.mod'));
    const target = 'github.com/jaegertracing/jaeger/cmd/jaeger';
    await command('go', ['build', '-mod=mod', '-o', 'jaeger', target], dir, options);
  });
  return join(home, 'jaeger');
}

/** @returns the path of the program */
export async function helmUnittest(): Promise<string> {
  // Its go.mod has a replace directive, too.
  const home = await cached('helm-unittest-1.1.2', async (dir) => {
    await cp(fileURLToPath(new URL('helm-unittest/go.mod', import.meta.url)), join(dir, 'go.mod'));
    const target = 'github.com/helm-unittest/helm-unittest/cmd/helm-unittest';
    await command('go', ['build', '-mod=mod', '-o', 'helm-unittest', target], dir, options);
  });
  return join(home, 'helm-unittest');
}

async function installed(name: string, target: string, program: string): Promise<string> {
  const version = target.slice(target.indexOf('@') + 1);
  const home = await cached(`${name}-${version}`, async (dir) => {
    await command('go', ['install', target], dir, { ...options, env: { GOBIN: dir } });
  });
  return join(home, program);
}
