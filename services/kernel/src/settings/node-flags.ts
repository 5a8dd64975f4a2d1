import { fileURLToPath } from 'node:url';

/**
 * How Node runs a service. The young generation may grow to three semi-spaces of 16 MiB or more by itself, which a
 * service that streams fills with what it has just sent: half as much costs a few per cent of speed and saves about
 * 100 MiB. `deploy/image/entrypoint.sh` says the same.
 */
export const SERVICE_NODE_FLAGS: readonly string[] = ['--max-semi-space-size=8'];

/**
 * For `NODE_COMPILE_CACHE`: where Node keeps what it made of the source. The next start reads no TypeScript, which takes
 * half of its time and 20 MiB that it would keep. Another user, or another Node, keeps its own beside it.
 */
export const COMPILE_CACHE = fileURLToPath(new URL('../../../../node_modules/.cache/compiled', import.meta.url));
