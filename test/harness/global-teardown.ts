import { running } from './running-platform.ts';

/** The last project to end takes the platform down. */
export default async function globalTeardown(): Promise<void> {
  running.users -= 1;
  if (running.users > 0) return;
  const platform = await running.platform;
  running.platform = undefined;
  await platform?.stop();
}
