import { running } from './kafka/running-platform.ts';

/** The last project to end takes the platforms down. */
export default async function globalTeardown(): Promise<void> {
  running.projects -= 1;
  if (running.projects > 0) return;
  const platforms = (await running.platforms) ?? [];
  running.platforms = undefined;
  await Promise.all(platforms.map((platform) => platform.stop()));
}
