/** What others do with links and codes: mail scanners, thieves, guessers. And where a secret that was typed can be found. */
import { readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readTopics } from '@databridge/kernel/kafka/topic-reader';
import { Sealer, type SealingKey } from '@databridge/kernel/secrets/sealer';
import { Tokens } from '@databridge/kernel/secrets/tokens';
import { readInvitationCode } from '@databridge/schemas/records/invitation-code';
import { systemTopics } from '@databridge/schemas/records/topics';
import type { Browser } from 'playwright-core';
import { eventually } from '../harness/eventually.ts';
import { launchBrowser, openPage } from '../harness/portal/browser.ts';
import {
  enterCode,
  type Intake,
  type Invitation,
  invite,
  openInvited,
  sendIt,
  startIntake,
} from '../harness/portal/set-up-page.ts';
import { Receiver } from '../harness/receiver.ts';
import type { ServiceProcess } from '../harness/services/processes.ts';
import { Stage } from '../harness/stage.ts';
import { freshName } from '../harness/topics.ts';

const operator = Tokens.generate('ann', 'operator');
const SECRETS = { secrets: ['authentication.password'] };
const REFUSED = /^This link and code open nothing/;
let stage: Stage;
let intake: Intake;
let browser: Browser;
let heaps: string;

beforeAll(async () => {
  heaps = await mkdtemp(join(tmpdir(), 'heaps-'));
  const NODE_OPTIONS = `--heapsnapshot-signal=SIGUSR2 --diagnostic-dir=${heaps}`;
  [stage, browser] = await Promise.all([Stage.start({ delivery: { NODE_OPTIONS } }), launchBrowser()]);
  intake = await startIntake(stage, [operator], { NODE_OPTIONS, LOG_LEVEL: 'trace' });
}, 120_000);
afterAll(async () => {
  await browser?.close();
  await rm(heaps, { recursive: true, force: true });
});

/** A customer with a password that is right for nobody. */
async function customerAt(receiver: Receiver): Promise<string> {
  const customer = freshName('invited');
  await stage.subscribe(customer, receiver.url, {
    authentication: { type: 'basic', username: 'u', password: 'before' },
  });
  return customer;
}

async function post(path: string, body: unknown, headers: Record<string, string> = {}) {
  const answer = await fetch(new URL(path, intake.origin), {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
  const text = await answer.text();
  return { status: answer.status, text, detail: String((JSON.parse(text) as { detail?: string }).detail) };
}

const pathOf = ({ link }: Invitation) => new URL(link).pathname;
const openWith = (invitation: Invitation, code: string) => post(`${pathOf(invitation)}/open`, { code });

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
  const scanner = await openPage(browser, intake.origin);
  for (let round = 0; round < 50; round++) {
    await scanner.page.goto(path);
    await scanner.page.getByLabel('Code').fill(`scan${round}`);
    await scanner.page.getByRole('button', { name: 'Continue' }).click();
    await scanner.page.getByRole('alert').waitFor();
  }
  await scanner.close();
  const other = await (await fetch(new URL('/s/AAAAAAAAAAAAAAAAAAAAAA', intake.origin))).text();
  expect(other).toBe(first);

  const { page, close } = await openPage(browser, intake.origin);
  await page.goto(`${path}?safelink=1#section`);
  await enterCode(page, invitation.code.toLowerCase().replace('-', ' '));
  await page.getByText(`For ${new URL(receiver.url).origin} alone.`).waitFor();
  await page.getByLabel('Password').fill('typed');
  await sendIt(page);
  await page.getByText('Your destination accepted the test event').waitFor();
  await close();
}, 180_000);

test('five wrong codes lock a link, with an alert; then not even the right one opens it, and the words are the same', async () => {
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

test('of two browsers that have the code, one wins, and the other is told', async () => {
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

test('nothing stays in the browser, nothing is told to others, and no markup or foreign script can be brought in', async () => {
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

test('canary: a secret that was typed is in the delivery worker, and nowhere else', async () => {
  const canary = 'canary-8e1f5b0c7d-typed-once';
  const receiver = await Receiver.start();
  const customer = await customerAt(receiver);
  const invitation = await invite(intake, customer, SECRETS);
  const { page, close } = await openInvited(browser, intake, invitation);
  const bodies: string[] = [];
  page.on('request', (request) => void bodies.push(`${request.url()} ${request.postData() ?? ''}`));
  await page.getByLabel('Password').fill(canary);
  await sendIt(page);
  await page.getByText('Your destination accepted').waitFor();
  await close();
  const encoded = Buffer.from(`u:${canary}`).toString('base64');
  expect(receiver.requests.at(-1)?.headers['authorization']).toBe(`Basic ${encoded}`);

  const readable: [string, string][] = [['request bodies', bodies.join('\n')]];
  for (const { name, logs, otherOutput } of [stage.fanOut, stage.delivery, intake.plane.service]) {
    readable.push([`log of ${name}`, JSON.stringify([logs, otherOutput])]);
  }
  const topics = [...systemTopics().map(({ topic }) => topic), `delivery.${customer}`];
  await readTopics(stage.operations.kafka, topics, {
    onBatch({ topic, records }) {
      for (const { key, value, headers } of records) {
        readable.push([topic, `${key} ${value?.toString('latin1')} ${JSON.stringify(headers)}`]);
      }
    },
  });
  readable.push(['heap of the control plane', await heapOf(intake.plane.service)]);
  // The answer, and the question for the test event.
  expect(bodies.length).toBeGreaterThanOrEqual(2);
  for (const [where, text] of readable) expect([where, holds(text, canary)]).toEqual([where, false]);
  // That it would have been found.
  expect(holds(await heapOf(stage.delivery), canary)).toBe(true);
}, 180_000);

test('with the writer killed while two answer, one of them wins still, and each gets the same answer again', async () => {
  const customer = await customerAt(await Receiver.start());
  const invitation = await invite(intake, customer, SECRETS);
  const at = { customer, place: 'authentication.password' };
  const both = await Promise.all(
    ['one', 'other'].map(async (secret) => {
      const { ticket, key } = JSON.parse((await openWith(invitation, invitation.code)).text) as {
        ticket: string;
        key: SealingKey;
      };
      const answer = { secrets: { [at.place]: await new Sealer(key).seal(secret, at) } };
      return { answer, headers: { authorization: `Bearer ${ticket}` } };
    }),
  );
  const second = await startIntake(stage, [operator], { SESSION_TIMEOUT: '6s' });
  const through = async ({ answer, headers }: (typeof both)[number]) => {
    for (;;) {
      const url = new URL(`${pathOf(invitation)}/answer`, second.origin);
      const body = JSON.stringify(answer);
      const answered = await fetch(url, {
        method: 'POST',
        headers: { ...headers, 'content-type': 'application/json' },
        body,
      });
      if (answered.status !== 503)
        return { status: answered.status, body: (await answered.json()) as { receipt?: string } };
    }
  };
  const killed = intake.plane.service.kill();
  const first = await Promise.all(both.map(through));
  await killed;
  expect(first.map(({ status }) => status).sort()).toEqual([200, 409]);
  expect(await Promise.all(both.map(through))).toEqual(first);
  const audit = await second.plane.call('GET', `/audit?customer=${customer}`);
  const changes = audit.body.items.filter(({ what }: { what: string }) => what === 'set-secret');
  expect(changes).toHaveLength(1);
}, 180_000);

function holds(text: string, canary: string): boolean {
  const forms = [canary, Buffer.from(canary).toString('base64').slice(2, -4), Buffer.from(canary).toString('hex')];
  return forms.some((form) => text.includes(form));
}

async function heapOf({ pid }: ServiceProcess): Promise<string> {
  process.kill(pid, 'SIGUSR2');
  const name = await eventually(
    async () => readdirSync(heaps).find((one) => one.includes(`.${pid}.`) && isWhole(join(heaps, one))) ?? '',
    (found) => found !== '',
  );
  return readFileSync(join(heaps, name), 'latin1');
}

/** A snapshot ends with the closing brackets of its strings. */
const isWhole = (file: string) => readFileSync(file, 'latin1').trimEnd().endsWith(']}');
