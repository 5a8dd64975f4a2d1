/**
 * Each dashboard, drawn by Grafana's own panels from a real Prometheus that scraped a real run with customers in trouble:
 * no panel is empty. `DATABRIDGE_PICTURES=1` writes the pictures of docs/operations anew.
 */
import { mkdir, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setInterval } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Tokens } from '@databridge/kernel/secrets/tokens';
import { rootCauseEvent } from '../harness/events.ts';
import { eventually } from '../harness/eventually.ts';
import { type DrawnDashboard, type DrawnTarget, draw, grafanaPanels } from '../harness/ops/grafana-pictures.ts';
import { Prometheus } from '../harness/ops/prometheus.ts';
import { makeCertificates } from '../harness/peers/certificates.ts';
import { FETCH_TIMEOUT_MS } from '../harness/peers/peers-cache.ts';
import { Receiver } from '../harness/receiver.ts';
import { startControlPlane } from '../harness/services/control-plane.ts';
import { Stage } from '../harness/stage.ts';

const dashboards = new URL('../../deploy/helm/databridge-events/files/dashboards/', import.meta.url);
const pictures = fileURLToPath(new URL('../../docs/operations/', import.meta.url));
/** What has its own name in the pictures. */
const [HEALTHY, DOWN, LOCKED, PICKY, SLOW, GONE] = [
  'acme',
  'globex',
  'initech',
  'umbrella',
  'hooli',
  'vandelay',
] as const;

interface GrafanaTarget {
  readonly refId: string;
  readonly expr: string;
  readonly legendFormat?: string;
  readonly format?: string;
  readonly instant?: boolean;
}

interface GrafanaPanel {
  readonly type: string;
  readonly title: string;
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly targets?: readonly GrafanaTarget[];
  readonly [more: string]: unknown;
}

interface GrafanaDashboard {
  readonly title: string;
  readonly panels: readonly GrafanaPanel[];
}

/** Shorter than its session lasts. */
const [FROZEN_AT_S, FROZEN_FOR_S] = [20, 10];

let prometheus: Prometheus;
let startedAtMs: number;
/** Of the traffic: to draw takes minutes on a busy machine, in which nothing more happens. */
let endedAtMs: number;

beforeAll(async () => {
  await mkdir(pictures, { recursive: true });
  await grafanaPanels();
  const operator = Tokens.generate('ann', 'operator');
  const stage = await Stage.start({
    delivery: { RETRY_PLAN: '5s*2,30s*100', REPORT_INTERVAL: '1s', WORKER_NAME: 'delivery-0', BREAKER_RESET: '5s' },
  });
  const plane = await startControlPlane([operator], {
    ...{ DATABRIDGE_KEYS: stage.keys, EXPORT_INTERVAL: '1s', RETRY_PLAN: '5s*2,30s*100' },
    EVENT_TYPES: `root-cause=${stage.upstream.topic}`,
  });
  const services = [stage.fanOut, stage.delivery, plane.service];
  prometheus = await Prometheus.start(services.map(({ adminUrl }) => new URL(adminUrl).host));
  startedAtMs = Date.now();
  let first = 0;
  const receivers = {
    // One of twenty events is accepted at its second attempt.
    [HEALTHY]: await Receiver.start((_request, nth) => ({
      status: nth === 1 && ++first % 20 === 0 ? 503 : 200,
      delayMs: 20,
    })),
    [DOWN]: await Receiver.start(() => ({ status: 503 })),
    [LOCKED]: await Receiver.start(() => ({ status: 401 })),
    [PICKY]: await Receiver.start((_request, nth) => ({ status: nth % 2 === 0 ? 200 : 422 })),
    [SLOW]: await Receiver.start(),
    [GONE]: await Receiver.start(() => ({ status: 410 })),
  };
  for (const [customer, receiver] of Object.entries(receivers)) {
    const tls = customer === HEALTHY ? { tls: await clientIdentity() } : {};
    const rate = customer === SLOW ? { ratePerSecond: 2 } : {};
    await stage.subscribe(customer, receiver.url, { ...tls, ...rate });
  }
  // A minute of traffic: rates need some, and the retries of the first lane are due meanwhile.
  let second = 0;
  for await (const _ of setInterval(1_000)) {
    const events = Object.keys(receivers).flatMap((company) =>
      Array.from({ length: company === SLOW ? 5 : 3 }, () => rootCauseEvent({ company })),
    );
    await stage.upstream.produce(events);
    if (second === 10) await stage.upstream.produceRaw([{ key: 'bad', value: Buffer.from('not a frame') }]);
    // A fault of ours: the worker stands still, and what comes meanwhile is late.
    if (second === FROZEN_AT_S) stage.delivery.freeze();
    if (second === FROZEN_AT_S + FROZEN_FOR_S) stage.delivery.thaw();
    await plane.call('GET', '/status');
    if (++second === 60) break;
  }
  await eventually(
    () => prometheus.now('databridge_customer_disabled and databridge_dead_letters or databridge_customer_disabled'),
    (found) => found.length > 0,
  );
  endedAtMs = Date.now();
}, FETCH_TIMEOUT_MS);

async function clientIdentity(): Promise<{ clientCertificate: string; clientKey: string }> {
  const { client } = await makeCertificates();
  return { clientCertificate: client.certificate, clientKey: client.key };
}

const files = await readdir(dashboards);

test.each(files)(
  '%s: no panel is empty',
  async (file) => {
    const text = withVariables(await readFile(new URL(file, dashboards), 'utf8'));
    const dashboard = JSON.parse(text) as GrafanaDashboard;
    const name = file.replace('.json', '');
    const picture = process.env['DATABRIDGE_PICTURES'] ? join(pictures, `${name}.png`) : undefined;
    const shown = await draw(await answered(dashboard), picture);
    const empty = shown.filter(({ type, values }) => type !== 'row' && type !== 'text' && values === 0);
    expect(empty.map(({ title }) => title)).toEqual([]);
    expect(shown.length).toBe(dashboard.panels.length);
  },
  300_000,
);

/** With what Prometheus answers to each query. The customer that is looked at is the one that is down. */
async function answered({ title, panels }: GrafanaDashboard): Promise<DrawnDashboard> {
  const [fromMs, toMs] = [startedAtMs, endedAtMs];
  const askedAll = panels.map(async (panel) => ({
    ...panel,
    targets: await Promise.all(
      (panel.targets ?? []).map(async ({ refId, expr, legendFormat, format, instant }): Promise<DrawnTarget> => {
        const result = instant ? await prometheus.now(expr, toMs) : await prometheus.range(expr, fromMs, toMs, 1_000);
        return { refId, legend: legendFormat ?? '', format: format ?? '', result };
      }),
    ),
  }));
  return { title, fromMs, toMs, panels: await Promise.all(askedAll) };
}

const withVariables = (text: string) =>
  text.replaceAll('$namespace', '.*').replaceAll('$job', '.*').replaceAll('$customer', DOWN);
