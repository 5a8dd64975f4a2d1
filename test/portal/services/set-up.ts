/// <reference lib="dom" />
/** A customer sets itself up on the page by keyboard, and with keys that the page makes. The rest: test/peers/set-up.test.ts. */
import { generateKeyPairSync } from 'node:crypto';
import type { Locator, Page } from 'playwright-core';
import { issuesInEveryLook, WIDE } from '../../harness/portal/axe.ts';
import { openPage } from '../../harness/portal/browser.ts';
import { invite, openInvited, sendIt } from '../../harness/portal/set-up-page.ts';
import { Receiver } from '../../harness/receiver.ts';
import { startRegistrationServer } from '../../harness/servers/registration-server.ts';
import { freshName } from '../../harness/topics.ts';
import { shared } from './shared.ts';

const grantOf = (customer: string) => ({ setup: { eventTypes: ['root-cause'], match: { company: [customer] } } });

test('by keyboard alone: a link is opened, a set-up stated, sent and seen to work', async () => {
  const { browser, intakes } = shared();
  const [intake] = intakes;
  const customer = freshName('keyboard');
  const receiver = await Receiver.start(({ headers }) => ({ status: headers['x-api-key'] === 'k-1' ? 200 : 401 }));
  const { link, code } = await invite(intake, customer, grantOf(customer));
  const { page, wrongs, close } = await openPage(browser, intake.origin, { viewport: WIDE });
  page.setDefaultTimeout(60_000);
  await page.goto(new URL(link).pathname);
  await page.getByLabel('Code').waitFor();
  expect(await issuesInEveryLook(page)).toEqual([]);
  await page.keyboard.type(code);
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: `Set up ${customer}` }).waitFor();
  expect(await issuesInEveryLook(page)).toEqual([]);
  await tabTo(page, page.getByLabel('URL'));
  await page.keyboard.type(receiver.url);
  await tabTo(page, page.getByLabel('Authentication', { exact: true }));
  // The second of the list.
  await page.keyboard.press('ArrowDown');
  await tabTo(page, page.getByLabel('Key', { exact: true }));
  await page.keyboard.type('k-1');
  await page.keyboard.press('Enter');
  await page.getByText('Your destination accepted the test event (status 200).').waitFor();
  expect(await issuesInEveryLook(page)).toEqual([]);
  await tabTo(page, page.getByRole('button', { name: 'Correct it' }));
  await page.keyboard.press('Enter');
  await page.getByLabel('URL').waitFor();
  expect(wrongs).toEqual([]);
  await close();
});

/** By the Tab key, as far as the control is. */
async function tabTo(page: Page, control: Locator): Promise<void> {
  const isThere = () => control.evaluate((one) => one === document.activeElement);
  for (let pressed = 0; !(await isThere()); pressed++) {
    if (pressed === 50) throw new Error('no Tab leads there');
    await page.keyboard.press('Tab');
  }
}

test('OAuth 2 by a private key: made in the page, its public half is registered, and no secret is shared', async () => {
  const { browser, intakes } = shared();
  const [intake] = intakes;
  const customer = freshName('oauth-key');
  const server = await startRegistrationServer();
  // The client is there before its key is.
  const before = generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({ format: 'jwk' });
  const client = await server.register({ ...before, use: 'sig' });
  const receiver = await Receiver.start(({ headers }) => ({
    status: /^Bearer ./.test(headers['authorization'] ?? '') ? 200 : 401,
  }));
  const { page, wrongs, close } = await openInvited(browser, intake, await invite(intake, customer, grantOf(customer)));
  const bodies: string[] = [];
  page.on('request', (request) => void bodies.push(request.postData() ?? ''));
  await page.getByLabel('URL', { exact: true }).fill(receiver.url);
  await page.getByLabel('Authentication', { exact: true }).selectOption('oauth-key');
  await page.getByLabel('URL of the token endpoint').fill(server.tokenUrl);
  await page.getByLabel('Client id').fill(client.id);
  await page.getByLabel('Id of the signing key (kid)').fill('key-1');
  await page.getByText('Extra parameters of the token request').click();
  await page.getByRole('button', { name: 'Add a parameter' }).click();
  expect(await issuesInEveryLook(page)).toEqual([]);
  // A row without a name is a mistake, and not left out in silence.
  await sendIt(page);
  await page.getByText('A parameter of the token request has no name').waitFor();
  await page.getByRole('button', { name: 'Remove the parameter' }).click();
  await sendIt(page);
  await page.getByText('Your destination rejected our credentials').waitFor();
  const jwk = JSON.parse((await page.getByText('"kty"').textContent()) ?? '') as Record<string, unknown>;
  expect(jwk).toMatchObject({ kty: 'EC', alg: 'ES256', kid: 'key-1' });
  expect(jwk).not.toHaveProperty('d');
  await client.replaceKey(jwk);
  await page.getByRole('button', { name: 'Test again' }).click();
  await page.getByText('Your destination accepted the test event (status 200).').waitFor();
  expect(bodies.join()).not.toContain('PRIVATE KEY');
  expect(wrongs).toEqual([]);
  await close();
  const { body } = await intake.plane.call('GET', `/subscriptions/${customer}`);
  expect(body.authentication).toMatchObject({ clientAuthentication: 'private-key-jwt', clientKey: '[secret]' });
}, 120_000);
