import { constants } from 'node:os';
import { PassThrough } from 'node:stream';
import { getContainerRuntimeClient, getReaper, LABEL_TESTCONTAINERS_SESSION_ID } from 'testcontainers';
import type { LaunchedService, ServiceName } from './launch-service.ts';

/**
 * The service as it is deployed: the image's own entry point, no root, nothing writable, no capabilities. It shares
 * the host's network, so that addresses mean the same inside and outside. Removed when this process is gone.
 */
export async function launchInImage(
  image: string,
  name: ServiceName,
  env: Record<string, string>,
): Promise<LaunchedService> {
  const client = await getContainerRuntimeClient();
  const { sessionId } = await getReaper(client);
  const container = await client.container.create({
    Image: image,
    Cmd: [name],
    Env: Object.entries(env).map(([variable, value]) => `${variable}=${value}`),
    Labels: { [LABEL_TESTCONTAINERS_SESSION_ID]: sessionId },
    HostConfig: {
      NetworkMode: 'host',
      ReadonlyRootfs: true,
      CapDrop: ['ALL'],
      SecurityOpt: ['no-new-privileges'],
      AutoRemove: true,
    },
  });
  const [stdout, stderr] = [new PassThrough(), new PassThrough()];
  const stream = await container.attach({ stream: true, stdout: true, stderr: true });
  client.container.dockerode.modem.demuxStream(stream, stdout, stderr);
  const exited = container.wait({ condition: 'next-exit' });
  await container.start();
  // Gone already, if it ended at once.
  const pid = await container.inspect().then(
    ({ State }) => State.Pid,
    () => 0,
  );

  let signals = Promise.resolve();
  return {
    pid,
    output: [stdout, stderr],
    exited: exited.then(({ StatusCode }: { StatusCode: number }) => signalOf(StatusCode) ?? StatusCode),
    signal(signal) {
      // It may have ended meanwhile.
      signals = signals.then(() => container.kill({ signal })).catch(() => undefined);
    },
  };
}

/** A process that a signal ended shows 128 + its number. */
function signalOf(statusCode: number): NodeJS.Signals | undefined {
  const found = Object.entries(constants.signals).find(([, number]) => number + 128 === statusCode);
  return found?.[0] as NodeJS.Signals | undefined;
}
