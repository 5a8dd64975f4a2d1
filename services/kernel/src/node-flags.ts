/**
 * How Node runs a service. The young generation may grow to three semi-spaces of 16 MiB or more by itself, which a
 * service that streams fills with what it has just sent: half as much costs a few per cent of speed and saves about
 * 100 MiB. `deploy/image/entrypoint.sh` says the same.
 */
export const SERVICE_NODE_FLAGS: readonly string[] = ['--max-semi-space-size=8'];
