import type { Platform } from '@databridge/local-platform/platform';

/** Where the set-up leaves the addresses for the workers, as JSON: a `PlatformAddress[]`, one for each worker. */
export const ADDRESSES_VARIABLE = 'DATABRIDGE_TEST_PLATFORMS';

export interface PlatformAddress {
  brokers: string[];
  registryUrl: string;
}

interface Running {
  /** Projects whose set-up has run and whose teardown hasn't. */
  projects: number;
  platforms: Promise<Platform[]> | undefined;
}

const holder = globalThis as { databridgeRunningPlatforms?: Running };
holder.databridgeRunningPlatforms ??= { projects: 0, platforms: undefined };

/** On globalThis, since jest loads set-up and teardown of each project as modules of their own. */
export const running: Running = holder.databridgeRunningPlatforms;
