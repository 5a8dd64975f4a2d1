import { readFileSync } from 'node:fs';
import { parser } from '@prometheus-io/lezer-promql';
import { DASHBOARDS } from './all.ts';

interface Panel {
  readonly id?: number;
  readonly type: string;
  readonly title?: string;
  readonly description?: string;
  readonly datasource?: { readonly uid?: string };
  readonly targets?: readonly { readonly expr?: string }[];
}

const all = Object.entries(DASHBOARDS).map(([file, dashboard]) => ({
  file,
  uid: dashboard.uid,
  dashboard,
  panels: (dashboard.panels ?? []) as readonly Panel[],
}));
const queries = all.flatMap(({ file, panels }) =>
  panels.flatMap(({ title, targets = [] }) => targets.map(({ expr = '' }) => ({ name: `${file}, ${title}`, expr }))),
);
/** Metrics of prom-client, which every Node process exports. */
const OF_NODE = /^(process|nodejs)_/;

/** Maps each metric to its labels, by the tables of docs/metrics.md. */
function documented(): Map<string, readonly string[]> {
  const page =
    readFileSync(new URL('../../../../docs/metrics.md', import.meta.url), 'utf8').split('## Fan-out')[1] ?? '';
  const rows = [...page.matchAll(/^\| `(\w+)`\s*\|([^|]*)\|/gm)];
  return new Map(
    rows.map(([, name = '', labels = '']) => [name, [...labels.matchAll(/`(\w+)`/g)].map(([, label = '']) => label)]),
  );
}

/** Returns the metrics in a query, with the labels of their selectors. */
function selectorsOf(expr: string): { metric: string; labels: string[] }[] {
  const found: { metric: string; labels: string[] }[] = [];
  parser.parse(expr).iterate({
    enter({ name, from, to }) {
      if (name !== 'VectorSelector') return;
      const text = expr.slice(from, to);
      const labels = [...text.matchAll(/[{,]\s*(\w+)\s*(?:=~|!~|!=|=)/g)].map(([, label = '']) => label);
      const [, byName] = /__name__=~"([^"]+)"/.exec(text) ?? [];
      const names = byName?.split('|') ?? [/^\w+/.exec(text)?.[0] ?? ''];
      for (const metric of names) found.push({ metric, labels: labels.filter((label) => label !== '__name__') });
    },
  });
  return found;
}

test.each(queries)('$name: is PromQL, of metrics and labels that exist', ({ expr }) => {
  const mistakes: string[] = [];
  parser.parse(expr).iterate({
    enter({ type, from, to }) {
      if (type.isError) mistakes.push(`at ${from}: ${expr.slice(from, to + 10)}`);
    },
  });
  expect(mistakes).toEqual([]);
  const known = documented();
  const selectors = selectorsOf(expr);
  expect(selectors.length).toBeGreaterThan(0);
  for (const { metric, labels } of selectors) {
    if (OF_NODE.test(metric)) continue;
    const base = metric.replace(/_(bucket|count)$/, '');
    expect([...known.keys()]).toContain(known.has(metric) ? metric : base);
    // Every selector says which deployment is meant.
    expect(labels).toEqual(expect.arrayContaining(['namespace', 'job']));
    const allowed = [
      'namespace',
      'job',
      'component',
      'instance',
      'le',
      ...(known.get(metric) ?? known.get(base) ?? []),
    ];
    expect(labels.filter((label) => !allowed.includes(label))).toEqual([]);
  }
});

test('uids are fixed, and never change: alerts and links lead to them', () => {
  expect(all.map(({ file, uid }) => [file, uid])).toEqual([
    ['overview.json', 'databridge-overview'],
    ['customer.json', 'databridge-customer'],
    ['intake.json', 'databridge-intake'],
    ['workers.json', 'databridge-workers'],
    ['platform.json', 'databridge-platform'],
    ['slo.json', 'databridge-slo'],
  ]);
});

test.each(all)('$file: variables, and panels that say what they show', ({ dashboard, panels }) => {
  const names = dashboard.templating?.list?.map(({ name }) => name);
  expect(names).toEqual([
    'datasource',
    'namespace',
    'job',
    ...(dashboard.uid === 'databridge-customer' ? ['customer'] : []),
  ]);
  for (const panel of panels) {
    expect(['row', 'stat', 'timeseries', 'table', 'bargauge', 'text']).toContain(panel.type);
    if (panel.type === 'row' || panel.type === 'text') continue;
    expect(panel.description).toMatch(/^[A-Z0-9d].*[.]$/);
    expect(panel.datasource?.uid).toBe('${datasource}');
  }
});
