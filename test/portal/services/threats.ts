/** What others do with links and codes: mail scanners, thieves, guessers. And where a secret that was typed can be found. */
import { readInvitationCode } from '@databridge/schemas/records/invitation-code';
import { openPage } from '../../harness/portal/browser.ts';
import { enterCode, invite, openInvited, sendIt } from '../../harness/portal/set-up-page.ts';
import { Receiver } from '../../harness/receiver.ts';
import { customerAt, openWith, pathOf, post, SECRETS } from './links.ts';
import { shared } from './shared.ts';

const REFUSED = /^This link and code are not valid/;

/** Codes with a right check character that are not that one. */
function otherCodes(code: string, count: number): string[] {
  const alphabet = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
  const body = (readInvitationCode(code) ?? '').slice(0, 6);
  const codes: string[] = [];
  for (const a of alphabet) {
    for (const b of alphabet) {
      const one = readInvitationCode(body + a + b);
      if (one !== undefined && one !== readInvitationCode(code)) codes.push(one);
    }
  }
  return codes.slice(0, count);
}

test('50 rounds of scanners spend nothing: the human succeeds after them, with a link that a mail program mangled', async () => {
  const { browser, intakes } = shared();
  const [intake] = intakes;
  const receiver = await Receiver.start();
  const customer = await customerAt(receiver);
  const invitation = await invite(intake, customer, SECRETS);
  const path = pathOf(invitation);
  const first = await (await fetch(invitation.link)).text();
  const rounds = Array.from({ length: 50 }, async (_, round) => {
    const looked = await fetch(`${invitation.link}?utm=${round}`, { headers: { 'user-agent': `Scanner/${round}` } });
    expect(await looked.text()).toBe(first);
    expect((await fetch(invitation.link, { method: 'HEAD' })).status).toBe(200);
    const form = { 'content-type': 'application/x-www-form-urlencoded' };
    for (const action of ['', '/open', '/answer', '/test']) {
      expect((await post(path + action, 'code=AAAA&password=x', form)).status).toBe(404);
    }
    expect((await post(`${path}/open`, { code: 'scanner' })).status).toBe(404);
  });
  await Promise.all(rounds);
  // One that runs scripts, fills fields and clicks on all that can be clicked.
  const scanner = async (rounds: readonly number[]) => {
    const { page, close } = await openPage(browser, intake.origin);
    for (const round of rounds) {
      await page.goto(path);
      await page.getByLabel('Code').fill(`scan${round}`);
      await page.getByRole('button', { name: 'Continue' }).click();
      await page.getByRole('alert').waitFor();
    }
    await close();
  };
  const fifty = Array.from({ length: 50 }, (_, round) => round);
  await Promise.all([0, 1, 2, 3].map((nth) => scanner(fifty.filter((round) => round % 4 === nth))));
  const other = await (await fetch(new URL('/s/AAAAAAAAAAAAAAAAAAAAAA', intake.origin))).text();
  expect(other).toBe(first);

  const { page, close } = await openPage(browser, intake.origin);
  await page.goto(`${path}?safelink=1#section`);
  await enterCode(page, invitation.code.toLowerCase().replace('-', ' '));
  await page.getByText(`For ${new URL(receiver.url).origin} only.`).waitFor();
  await page.getByLabel('Password').fill('typed');
  await sendIt(page);
  await page.getByText('Your destination accepted the test event').waitFor();
  await close();
}, 180_000);

test('five wrong codes lock a link, with an alert; then not even the right one opens it, and the words are the same', async () => {
  const { intakes } = shared();
  const [intake] = intakes;
  const customer = await customerAt(await Receiver.start());
  const invitation = await invite(intake, customer, SECRETS);
  const words = new Set<string>();
  for (const code of otherCodes(invitation.code, 5)) {
    const { status, text } = await openWith(invitation, code);
    expect(status).toBe(404);
    words.add(text);
  }
  words.add((await openWith(invitation, invitation.code)).text);
  const used = await invite(intake, customer, SECRETS);
  await intake.plane.call('POST', `/invitations/${used.id}/revoke`);
  words.add((await openWith(used, used.code)).text);
  words.add((await post('/s/AAAAAAAAAAAAAAAAAAAAAA/open', { code: used.code })).text);
  expect(words.size).toBe(1);
  expect(JSON.parse([...words][0] ?? '').detail).toMatch(REFUSED);
  await intake.plane.service.waitForLog(({ msg }) => msg === 'invitation locked after wrong codes');
  const { body } = await intake.plane.call('GET', '/invitations');
  const states = new Map<string, string>(body.items.map((one: { id: string; state: string }) => [one.id, one.state]));
  expect([states.get(invitation.id), states.get(used.id)]).toEqual(['locked', 'revoked']);
  const audit = await intake.plane.call('GET', `/audit?customer=${customer}`);
  const said = audit.body.items.map(({ what }: { what: string }) => what);
  expect(said).toEqual(expect.arrayContaining(['invite', 'lock-invitation', 'revoke-invitation']));
}, 120_000);

test('a link for a secret changes no address; a seal is of no use at another place, for another customer, or twice', async () => {
  const { browser, intakes } = shared();
  const [intake] = intakes;
  const receiver = await Receiver.start();
  const [mine, theirs] = [await customerAt(receiver), await customerAt(receiver)];
  const invitation = await invite(intake, mine, SECRETS);
  const { page, close } = await openInvited(browser, intake, invitation);
  const posted: { secrets: Record<string, string> }[] = [];
  const tickets: string[] = [];
  page.on('request', (request) => {
    if (!request.url().endsWith('/answer')) return;
    posted.push(request.postDataJSON() as (typeof posted)[number]);
    tickets.push(request.headers()['authorization'] ?? '');
  });
  await page.getByLabel('Password').fill('typed');
  await sendIt(page);
  const receipt = await page.getByText('Receipt:').first().textContent();
  const [answer] = posted;
  const [authorization = ''] = tickets;
  const sealed = answer?.secrets['authentication.password'] ?? '';
  await page.getByText('Your destination accepted').waitFor();
  await close();

  // The same answer again gets the first receipt.
  const again = await post(`${pathOf(invitation)}/answer`, answer, { authorization });
  expect(receipt).toContain((JSON.parse(again.text) as { receipt: string }).receipt);
  const diverted = {
    ...answer,
    setup: { destination: { type: 'http', url: 'http://127.0.0.1:1/' }, authentication: { type: 'none' } },
  };
  expect(await post(`${pathOf(invitation)}/answer`, diverted, { authorization })).toMatchObject({ status: 422 });
  const elsewhere = { secrets: { 'authentication.key': sealed } };
  expect(await post(`${pathOf(invitation)}/answer`, elsewhere, { authorization })).toMatchObject({ status: 422 });

  const other = await invite(intake, theirs, SECRETS);
  const opened = await openWith(other, other.code);
  const ticket = (JSON.parse(opened.text) as { ticket: string }).ticket;
  const replayed = await post(`${pathOf(other)}/answer`, answer, { authorization: `Bearer ${ticket}` });
  expect(replayed).toMatchObject({ status: 422, detail: expect.stringContaining('another customer or place') });
  const { body } = await intake.plane.call('GET', `/subscriptions/${mine}`);
  expect(body.destination.url).toBe(receiver.url);
}, 120_000);

test('of two browsers that have the code, one wins, and the other gets a message', async () => {
  const { browser, intakes } = shared();
  const [intake] = intakes;
  const customer = await customerAt(await Receiver.start());
  const invitation = await invite(intake, customer, SECRETS);
  const both = [await openInvited(browser, intake, invitation), await openInvited(browser, intake, invitation)];
  for (const { page } of both) await page.getByLabel('Password').fill('typed');
  await Promise.all(both.map(({ page }) => sendIt(page)));
  const said = await Promise.all(
    both.map(async ({ page }) => {
      const won = page.getByText('Your destination accepted the test event');
      const lost = page.getByText('This link was answered in the meantime');
      await won.or(lost).waitFor();
      return await won.count();
    }),
  );
  expect(said.sort()).toEqual([0, 1]);
  await Promise.all(both.map(({ close }) => close()));
}, 120_000);

test('nothing stays in the browser, nothing is sent to others, and no markup or foreign script can be injected', async () => {
  const { browser, intakes } = shared();
  const [intake] = intakes;
  const customer = await customerAt(await Receiver.start());
  const invitation = await invite(intake, customer, SECRETS);
  const { page, wrongs, close } = await openInvited(browser, intake, invitation);
  const headers = (await (await fetch(invitation.link)).headers) as Headers;
  expect(headers.get('content-security-policy')).toMatch(/^default-src 'none';.*require-trusted-types-for 'script'/);
  expect(headers.get('cache-control')).toBe('no-store');
  expect(headers.get('referrer-policy')).toBe('no-referrer');
  const referers: (string | undefined)[] = [];
  page.on('request', (request) => void referers.push(request.headers()['referer']));
  await page.getByLabel('Password').fill('typed');
  expect(await page.getByLabel('Password').getAttribute('autocomplete')).toBe('off');
  expect(await page.getByLabel('Password').getAttribute('name')).toBeNull();
  expect(await page.evaluate(() => [localStorage.length, sessionStorage.length, document.cookie])).toEqual([0, 0, '']);
  await page.goto('about:blank');
  await page.goBack();
  await page.getByLabel('Code').waitFor();
  expect(await page.getByLabel('Password').count()).toBe(0);
  // Chromium gives an empty one for what it takes from its history.
  expect(referers.filter((referer) => referer !== undefined && referer !== '')).toEqual([]);
  expect(wrongs).toEqual([]);
  const thrown = await page.evaluate(() => {
    try {
      document.body.innerHTML = '<b>x</b>';
      return 'none';
    } catch (error) {
      return (error as Error).name;
    }
  });
  expect(thrown).toBe('TypeError');
  await close();
}, 120_000);
