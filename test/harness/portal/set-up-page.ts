/** A control plane with its set-up page, and somebody who answers invitations there in a browser. */
import type { Browser, Page } from 'playwright-core';
import { type ControlPlane, startControlPlane } from '../services/control-plane.ts';
import type { Stage } from '../stage.ts';
import { openPage, type WatchedPage } from './browser.ts';
import { buildSetUpPage } from './built.ts';

export interface Intake {
  readonly plane: ControlPlane;
  /** Of the page. */
  readonly origin: string;
}

/** What inviting takes. */
interface Inviting {
  readonly plane: Pick<ControlPlane, 'call'>;
}

export interface Invitation {
  readonly id: string;
  readonly link: string;
  readonly code: string;
}

export async function startIntake(
  stage: Stage,
  tokens: Parameters<typeof startControlPlane>[0],
  env: Record<string, string> = {},
): Promise<Intake> {
  buildSetUpPage();
  const plane = await startControlPlane(tokens, { DATABRIDGE_KEYS: stage.keys, INTAKE_PORT: '0', ...env });
  const { intakePort } = await plane.service.waitForLog((line) => typeof line['intakePort'] === 'number');
  return { plane, origin: `http://127.0.0.1:${intakePort}` };
}

/** @param what such as `{ secrets: ['authentication.password'] }` */
export async function invite({ plane }: Inviting, customer: string, what: object): Promise<Invitation> {
  const { status, body } = await plane.call('POST', '/invitations', { body: { customer, ...what } });
  if (status !== 201) throw new Error(`not invited: ${status} ${JSON.stringify(body)}`);
  return body as Invitation;
}

/** Opens the link, and enters the code. */
export async function openInvited(
  browser: Browser,
  { origin }: Pick<Intake, 'origin'>,
  invitation: Invitation,
): Promise<WatchedPage> {
  const watched = await openPage(browser, origin);
  // A test event may take its time; it only ends what hangs.
  watched.page.setDefaultTimeout(60_000);
  await watched.page.goto(new URL(invitation.link).pathname);
  await enterCode(watched.page, invitation.code);
  await watched.page.getByRole('heading', { level: 2 }).waitFor();
  return watched;
}

export async function enterCode(page: Page, code: string): Promise<void> {
  await page.getByLabel('Code').fill(code);
  await page.getByRole('button', { name: 'Continue' }).click();
}

export const sendIt = (page: Page) => page.getByRole('button', { name: 'Encrypt and send' }).click();
