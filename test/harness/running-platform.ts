import type { Platform } from '@databridge/local-platform/platform';

export const BROKERS_VARIABLE = 'DATABRIDGE_TEST_BROKERS';
export const REGISTRY_VARIABLE = 'DATABRIDGE_TEST_REGISTRY_URL';

interface Running {
  users: number;
  platform: Promise<Platform> | undefined;
}

const holder = globalThis as { databridgeRunningPlatform?: Running };

/** On globalThis, since jest loads set-up and teardown of each project as modules of their own. */
holder.databridgeRunningPlatform ??= { users: 0, platform: undefined };
export const running: Running = holder.databridgeRunningPlatform;
