/// <reference lib="dom" />
/** Debian's Chromium, and pages of it that tell everything which goes wrong in them. */
import { existsSync } from 'node:fs';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';

const PLACES = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];

/** `CHROMIUM`, or where Debian has it. @returns undefined: there is none */
export function chromiumPath(): string | undefined {
  return [process.env['CHROMIUM'] ?? '', ...PLACES].find((path) => path !== '' && existsSync(path));
}

export function launchBrowser(): Promise<Browser> {
  const executablePath = chromiumPath();
  if (executablePath === undefined) throw new Error('no Chromium: "apt-get install chromium", or set CHROMIUM');
  return chromium.launch({
    executablePath,
    // As root, in a container, with no GPU; and nothing of its own goes out.
    args: [
      ...['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking'],
      ...['--disable-component-update', '--disable-sync'],
    ],
  });
}

/** Only ends what hangs. */
const WITHIN_MS = 20_000;

export interface WatchedPage {
  readonly page: Page;
  /** Violations of the content security policy, errors on the console or thrown, and requests to elsewhere. */
  readonly wrongs: readonly string[];
  close(): Promise<void>;
}

/** @param origin whatever is asked of another is wrong */
export async function openPage(
  browser: Browser,
  origin: string,
  options: BrowserContextOptions = {},
): Promise<WatchedPage> {
  const context = await browser.newContext({ baseURL: origin, ...options });
  context.setDefaultTimeout(WITHIN_MS);
  const page = await context.newPage();
  const wrongs: string[] = [];
  await page.exposeFunction('tellViolation', (text: string) => void wrongs.push(`policy: ${text}`));
  await page.addInitScript(() => {
    document.addEventListener('securitypolicyviolation', ({ effectiveDirective, blockedURI, sample }) => {
      const { tellViolation } = globalThis as unknown as { tellViolation(text: string): void };
      tellViolation(`${effectiveDirective} ${sample || blockedURI}`);
    });
  });
  page.on('pageerror', (error) => wrongs.push(`thrown: ${error.message}`));
  page.on('console', (message) => {
    // The browser itself writes there what the API refused, which a page then shows in words.
    const isRefusal = /Failed to load resource: the server responded with a status of 4\d\d/.test(message.text());
    if (['error', 'warning'].includes(message.type()) && !isRefusal) {
      wrongs.push(`console: ${message.text()} ${message.location().url}`);
    }
  });
  page.on('request', (request) => {
    if (new URL(request.url()).origin !== origin) wrongs.push(`request: ${request.url()}`);
  });
  return { page, wrongs, close: () => context.close() };
}
