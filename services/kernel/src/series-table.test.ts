import { createRegistry } from './metrics.ts';
import { seriesTable } from './series-table.ts';

const family = {
  name: 'databridge_things',
  help: 'Things by kind',
  type: 'gauge',
  write: (count: number, add: (value: number | undefined, labels?: string) => void) => {
    add(count, 'kind="a"');
    add(undefined, 'kind="b"');
  },
} as const;

test('a registry adds the series of its tables, with its own labels first', async () => {
  const registry = createRegistry('things');
  registry.add(seriesTable([family], () => [[',customer="acme"', 7]]));
  expect(await registry.metrics()).toMatch(
    /\n# HELP databridge_things Things by kind\n# TYPE databridge_things gauge\ndatabridge_things\{component="things",customer="acme",kind="a"\} 7\n$/,
  );
  expect(registry.names()).toContain('databridge_things');
});

test('a long table lets other work go on between its rows', async () => {
  let turns = 0;
  const counting = setInterval(() => turns++, 0);
  const slow = {
    ...family,
    write: () => {
      const endsAtMs = performance.now() + 2;
      while (performance.now() < endsAtMs);
    },
  };
  const table = seriesTable([slow], () => Array.from({ length: 30 }, (_, at) => [`,customer="c-${at}"`, at] as const));
  const parts: string[] = [];
  for await (const part of table.parts('component="things"')) parts.push(part);
  clearInterval(counting);
  expect(parts.length).toBeGreaterThan(5);
  expect(turns).toBeGreaterThan(5);
});
