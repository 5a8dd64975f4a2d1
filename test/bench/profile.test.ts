import { flameGraph } from './flame-graph.ts';
import { callTree, profileTables, shareOf, shares } from './profile.ts';

const frame = (id: number, functionName: string, url: string, children: number[] = []) => ({
  ...{ id, children },
  callFrame: { functionName, url, lineNumber: 6 },
});
const profile = {
  nodes: [
    frame(1, '(root)', '', [2, 5, 6]),
    frame(2, 'deliver', 'file:///x/services/delivery/src/attempt/delivery.ts', [3, 4]),
    frame(3, 'dispatch', 'file:///x/node_modules/undici/lib/pool.js'),
    frame(4, 'digest', 'node:internal/crypto/hash'),
    frame(5, '(idle)', ''),
    frame(6, '(garbage collector)', ''),
  ],
  samples: [2, 3, 3, 4, 5, 6],
  timeDeltas: [10, 20, 30, 40, 1_000, 5],
};

test('own time belongs to whose code it is, and being idle to nobody', () => {
  expect(shares(callTree(profile), ({ owner }) => owner)).toEqual([
    { name: 'undici', micros: 50 },
    { name: 'node', micros: 40 },
    { name: 'services/delivery', micros: 10 },
    { name: 'garbage collector', micros: 5 },
  ]);
});

test('a caller is as wide as all that it called', () => {
  const root = callTree(profile);
  expect(root.totalMicros).toBe(105);
  expect(root.children.find(({ owner }) => owner === 'services/delivery')?.totalMicros).toBe(100);
  const widths = new Map(
    [...flameGraph(root, 't').matchAll(/<title>[^:]*: (\S+)[^<]*<\/title><rect [^>]*width="([\d.]+)"/g)].map(
      (found) => [found[1], Number(found[2])],
    ),
  );
  expect(widths.get('deliver')).toBeCloseTo((1_200 * 100) / 105 - 0.3, 0);
  expect(widths.get('dispatch')).toBeCloseTo((1_200 * 50) / 105 - 0.3, 0);
});

test('the tables state the cost of each', () => {
  expect(profileTables(callTree(profile), 10, 'a delivery')).toContain(
    '| undici: `dispatch (pool.js:7)` | 47.6 % | 5.0 |',
  );
});

test('the share of some files, with what they call, of the later part of a profile', () => {
  const call = (functionName: string, url: string) => ({ functionName, url, lineNumber: 0 });
  const found = {
    nodes: [
      { id: 1, callFrame: call('(root)', ''), children: [2, 3, 5] },
      { id: 2, callFrame: call('deliver', 'file:///delivery.ts') },
      { id: 3, callFrame: call('startSpan', 'file:///node_modules/@opentelemetry/sdk/Tracer.js'), children: [4] },
      { id: 4, callFrame: call('randomFill', 'node:crypto') },
      { id: 5, callFrame: call('(idle)', '') },
    ],
    samples: [3, 3, 3, 3, 2, 4, 3, 5],
    timeDeltas: [9, 9, 9, 9, 80, 15, 5, 900],
  };
  const isTracing = (url: string) => url.includes('@opentelemetry');
  expect(shareOf(found, isTracing, 0.5)).toBeCloseTo(0.2);
  expect(() => shareOf({ ...found, samples: [5, 5] }, isTracing, 0)).toThrow('the profile is empty');
});
