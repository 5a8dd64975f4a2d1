import { fileURLToPath } from 'node:url';

/**
 * The flags with which Node runs a service. The young generation may grow to three semi-spaces of 16 MiB or more by
 * itself, which a service that streams fills with data that it has just sent: half as much costs a few per cent of speed
 * and saves about 100 MiB. `deploy/image/entrypoint.sh` says the same.
 */
export const SERVICE_NODE_FLAGS: readonly string[] = ['--max-semi-space-size=8'];

/**
 * The value of `NODE_COMPILE_CACHE`: the directory where Node keeps compiled source. The next start parses no
 * TypeScript, which would take half of its time and 20 MiB. Other users, and other versions of Node, have their own
 * cache beside it.
 */
export const COMPILE_CACHE = fileURLToPath(new URL('../../../../node_modules/.cache/compiled', import.meta.url));
