/** A process that does nothing but keep a platform of its own, for tests of what becomes of it. */
import { startLocalPlatform } from '@databridge/local-platform/local-platform';

const [dataDir] = process.argv.slice(2);
const { brokers, registryUrl } = await startLocalPlatform({ dataDir });
process.send?.({ brokers, registryUrl });
