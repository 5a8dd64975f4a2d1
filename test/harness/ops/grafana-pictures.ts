/** Draws dashboards as Grafana does, with its own panels, in Chromium. */
import { spawnSync } from 'node:child_process';
import { copyFile, cp, mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { cached, command } from '../peers/peers-cache.ts';
import type { PromSeries } from './prometheus.ts';

const source = fileURLToPath(new URL('grafana/', import.meta.url));
const WIDTH_PX = 1_216;
const ROW_PX = 38;
const HEADING_PX = 60;
const VERSION = '13.2.3';
const PICTURE_ATTEMPTS = 3;
const EMPTY_BYTES = 20_000;

/** A panel of a dashboard's JSON, as far as it is drawn. */
export interface DrawnPanel {
  readonly type: string;
  readonly title: string;
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly targets: readonly DrawnTarget[];
}

export interface DrawnTarget {
  readonly refId: string;
  readonly legend: string;
  readonly format: string;
  readonly result: readonly PromSeries[];
}

export interface DrawnDashboard {
  readonly title: string;
  readonly fromMs: number;
  readonly toMs: number;
  readonly panels: readonly DrawnPanel[];
}

/** What a panel shows: how many finite values. */
export interface Shown {
  readonly title: string;
  readonly type: string;
  readonly values: number;
}

/** Grafana's packages and the bundle made of them: several hundred MB, fetched once. @returns its folder */
export async function grafanaPanels(): Promise<string> {
  return await cached(`grafana-panels-${VERSION}-3`, async (directory) => {
    await cp(source, directory, { recursive: true });
    await command('npm', ['install', '--no-audit', '--no-fund', '--ignore-scripts'], directory);
    const fonts = ['svg', 'woff', 'woff2', 'ttf'].map((kind) => `--loader:.${kind}=dataurl`);
    const options = [
      '--bundle',
      '--minify',
      '--format=esm',
      '--jsx=automatic',
      '--define:process.env.NODE_ENV="production"',
    ];
    await command(
      join(directory, 'node_modules/.bin/esbuild'),
      ['render.jsx', '--outfile=panels.js', ...options, ...fonts, '--alias:react-custom-scrollbars-2=./scrollbars.mjs'],
      directory,
    );
    await rm(join(directory, 'node_modules'), { recursive: true });
  });
}

/**
 * @param picture a PNG file, written; left out: none is taken
 * @returns what each panel shows
 * @throws Error with what went wrong in the page
 */
export async function draw(dashboard: DrawnDashboard, picture?: string): Promise<Shown[]> {
  const panels = await grafanaPanels();
  const directory = await mkdtemp(join(tmpdir(), 'databridge-dashboard-'));
  try {
    for (const file of ['panels.js', 'panels.css']) await copyFile(join(panels, file), join(directory, file));
    await writeFile(join(directory, 'data.js'), `window.__DASHBOARD = ${JSON.stringify(dashboard)};`);
    await writeFile(join(directory, 'index.html'), PAGE);
    const height = HEADING_PX + ROW_PX * Math.max(...dashboard.panels.map(({ gridPos }) => gridPos.y + gridPos.h));
    const url = `file://${join(directory, 'index.html')}`;
    const dom = await chromium(['--dump-dom', url], height);
    const [, told] = /<script id="told" type="application\/json">(.*?)<\/script>/s.exec(dom) ?? [];
    const { errors, shown } = JSON.parse(told ?? '{"errors":["the page said nothing"]}') as {
      errors: string[];
      shown?: Shown[];
    };
    if (errors.length > 0 || shown === undefined) throw new Error(`${dashboard.title}: ${errors.join('; ')}`);
    if (picture !== undefined) await photograph(url, height, picture);
    return shown;
  } finally {
    await rm(directory, { recursive: true });
  }
}

/** On a busy machine, Chromium may take the picture before anything is drawn: an empty page has few bytes. */
async function photograph(url: string, height: number, picture: string): Promise<void> {
  for (let attempt = 1; attempt <= PICTURE_ATTEMPTS; attempt++) {
    await chromium([`--screenshot=${picture}`, url], height);
    if ((await stat(picture)).size > EMPTY_BYTES) return await compress(picture);
  }
  throw new Error(`${picture}: nothing was drawn in ${PICTURE_ATTEMPTS} attempts`);
}

/** By Debian's `pngquant`, to a third; without it a picture is only larger. */
async function compress(picture: string): Promise<void> {
  if (spawnSync('pngquant', ['--version']).error !== undefined) return;
  await command('pngquant', ['--force', '--skip-if-larger', '--output', picture, '48', picture]);
}

const PAGE = `<!doctype html><meta charset="utf-8"><link rel="stylesheet" href="panels.css"><div id="root"></div>
<script>
  window.grafanaBootData = { settings: {}, user: {} };
  window.process = { env: { NODE_ENV: 'production' } };
  window.__errors = [];
  addEventListener('error', (event) => __errors.push(String(event.message)));
  addEventListener('unhandledrejection', (event) => __errors.push(String(event.reason?.stack ?? event.reason)));
</script>
<script src="data.js"></script><script type="module" src="panels.js"></script>`;

/** Debian's. Its clock runs ahead until nothing is left to do. */
async function chromium(what: readonly string[], height: number): Promise<string> {
  const usual = [
    '--headless=new',
    '--no-sandbox',
    '--disable-gpu',
    '--hide-scrollbars',
    '--allow-file-access-from-files',
  ];
  const patience = ['--virtual-time-budget=10000', `--window-size=${WIDTH_PX},${height}`];
  return await command('chromium', [...usual, ...patience, ...what], undefined, { timeoutMs: 180_000 });
}
