/** Tests that wait more than they work, started at once: the file takes as long as the longest of them. */

/**
 * Declares one test for each scenario. All of them start with the first one that runs, after `beforeAll`: they must be
 * independent of each other.
 * @param timeoutMs of each test; if omitted, that of the project
 */
export function together(scenarios: Readonly<Record<string, () => Promise<void>>>, timeoutMs?: number): void {
  let running: Map<string, Promise<void>> | undefined;
  const start = () => {
    const started = Object.entries(scenarios).map(([title, run]) => [title, run()] as const);
    // One that fails early fails its own test, which may begin later.
    for (const [, end] of started) end.catch(() => undefined);
    return new Map(started);
  };
  for (const title of Object.keys(scenarios)) {
    test(
      title,
      async () => {
        running ??= start();
        await running.get(title);
      },
      timeoutMs,
    );
  }
}
