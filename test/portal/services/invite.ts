/** From an invitation to the first event, in the browser alone: an operator invites, the customer answers, the operator approves. */
import { rootCauseEvent } from '../../harness/events.ts';
import { eventually } from '../../harness/eventually.ts';
import { axeIssues } from '../../harness/portal/axe.ts';
import { openPage } from '../../harness/portal/browser.ts';
import { enterCode, invite, openInvited, sendIt } from '../../harness/portal/set-up-page.ts';
import { Receiver } from '../../harness/receiver.ts';
import { freshName } from '../../harness/topics.ts';
import { operator, portalOrigin, reader, shared, signIn } from './shared.ts';

test('an invitation is made, renewed and answered; its set-up is approved, and events flow', async () => {
  const { browser, intakes, stage } = shared();
  const [intake] = intakes;
  const customer = freshName('invited-here');
  const receiver = await Receiver.start(({ headers }) => ({ status: headers['x-api-key'] === 'k-1' ? 200 : 401 }));
  const { page, wrongs, close } = await openPage(browser, portalOrigin());
  await signIn(page, operator.token, '/portal/invitations');
  await page.getByRole('button', { name: 'Invite…' }).click();
  const form = page.getByRole('dialog', { name: 'Invite a customer' });
  await form.getByLabel('Customer', { exact: true }).fill(customer);
  await form.getByLabel(/Companies/).fill(customer);
  await form.getByLabel(/whose folder/).fill('Support\nSales');
  await form.getByLabel(/pass this filter/).fill('event.summary.folder = "Support"');
  await form.getByLabel('summary', { exact: true }).check();
  await form.getByLabel('intent', { exact: true }).check();
  await form.getByLabel(/Hosts/).fill('127.0.0.1');
  await form.getByLabel('Reason').fill('Your first set-up');
  expect(page.url()).toContain('invite=new');
  await form.getByRole('button', { name: 'Invite', exact: true }).click();
  // What is wrong is said at its field, before anybody is invited.
  await form.locator('textarea[name=filter][aria-invalid=true]').waitFor();
  await form.getByLabel(/pass this filter/).fill('event.summary.folder == "Support"');
  await form.getByRole('button', { name: 'Invite', exact: true }).click();
  await form.getByText('This is shown once.').waitFor();
  expect(await axeIssues(page)).toEqual([]);
  const first = await form.getByLabel('Link', { exact: true }).textContent();
  await form.getByRole('button', { name: 'I have copied both' }).click();
  const row = page.getByRole('row').filter({ hasText: customer });
  await row.getByRole('cell', { name: 'Open', exact: true }).waitFor();
  expect(await page.content()).not.toContain(first);

  await row.getByRole('button', { name: 'Renew…' }).click();
  const renewal = page.getByRole('dialog', { name: `Renew the invitation of ${customer}` });
  await renewal.getByRole('button', { name: 'Renew', exact: true }).click();
  const link = (await renewal.getByLabel('Link', { exact: true }).textContent()) ?? '';
  const code = (await renewal.getByLabel('Code', { exact: true }).textContent()) ?? '';
  expect(link).not.toBe(first);
  await renewal.getByRole('button', { name: 'I have copied both' }).click();
  await row.getByRole('cell', { name: 'Revoked', exact: true }).waitFor();

  const answering = await openPage(browser, intake.origin);
  answering.page.setDefaultTimeout(60_000);
  await answering.page.goto(new URL(link).pathname);
  await enterCode(answering.page, code);
  await answering.page.getByText('ann asks for this: Your first set-up').waitFor();
  await answering.page.getByLabel('Authentication', { exact: true }).selectOption('api-key');
  await answering.page.getByLabel('URL').fill(receiver.url);
  await answering.page.getByLabel('Key', { exact: true }).fill('k-1');
  await sendIt(answering.page);
  await answering.page.getByText('Your destination accepted the test event (status 200).').waitFor();
  expect(answering.wrongs).toEqual([]);
  await answering.close();

  const watching = await openPage(browser, portalOrigin());
  await signIn(watching.page, reader.token, '/portal/approvals');
  await watching.page.getByRole('heading', { name: customer }).waitFor();
  expect(await watching.page.getByRole('button', { name: 'Approve…' }).count()).toBe(0);
  await watching.close();

  await page.getByRole('link', { name: 'Approvals' }).click();
  const stated = page.getByRole('article', { name: customer });
  await stated.getByText(receiver.url).first().waitFor();
  expect((await intake.plane.call('GET', `/subscriptions/${customer}`)).body).toMatchObject({
    match: { company: [customer], folder: ['Support', 'Sales'] },
    filter: 'event.summary.folder == "Support"',
    sections: expect.arrayContaining(['summary', 'intent']),
  });
  expect(await axeIssues(page)).toEqual([]);
  await stated.getByRole('button', { name: 'Approve…' }).click();
  await page
    .getByRole('dialog', { name: `Approve ${customer}` })
    .getByRole('button', { name: 'Approve' })
    .click();
  await stated.waitFor({ state: 'detached' });
  const tests = receiver.requests.length;
  await eventually(
    async () => {
      await stage.upstream.produce([rootCauseEvent({ company: customer })]);
      return receiver.requests.length;
    },
    (count) => count > tests,
    60_000,
    500,
  );
  await page.getByRole('link', { name: 'Invitations' }).click();
  await row.getByRole('cell', { name: 'Answered', exact: true }).waitFor();
  expect(wrongs).toEqual([]);
  await close();
}, 120_000);

test('a set-up is declined: what was stated is deleted, and so is nothing that was approved meanwhile', async () => {
  const { browser, intakes } = shared();
  const [intake] = intakes;
  const { plane } = intake;
  const receiver = await Receiver.start();
  const [declined, approved] = [freshName('declined'), freshName('approved')];
  for (const customer of [declined, approved]) {
    const setup = { eventTypes: ['root-cause'], match: { company: [customer] } };
    const answering = await openInvited(browser, intake, await invite(intake, customer, { setup }));
    await answering.page.getByLabel('Authentication', { exact: true }).selectOption('api-key');
    await answering.page.getByLabel('URL').fill(receiver.url);
    await answering.page.getByLabel('Key', { exact: true }).fill('k-1');
    await sendIt(answering.page);
    await answering.page.getByText('Your destination accepted the test event (status 200).').waitFor();
    await answering.close();
  }
  const { page, close } = await openPage(browser, portalOrigin());
  await signIn(page, operator.token, '/portal/approvals');
  const decline = async (customer: string) => {
    const stated = page.getByRole('article', { name: customer });
    await stated.getByRole('button', { name: 'Decline…' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Decline' }).click();
    return stated;
  };
  await (await decline(declined)).waitFor({ state: 'detached' });
  expect((await plane.call('GET', `/subscriptions/${declined}`)).status).toBe(404);
  // The page does not know yet.
  await page.route('**/v1/subscriptions?*', (route) => route.abort());
  expect((await plane.call('POST', `/subscriptions/${approved}/approve`)).status).toBe(200);
  await decline(approved);
  await page.getByText(`${approved} was approved in the meantime: nothing is deleted.`).waitFor();
  expect((await plane.call('GET', `/subscriptions/${approved}`)).status).toBe(200);
  await close();
}, 120_000);

test('an invitation is revoked; sessions are listed and revoked', async () => {
  const { browser, intakes } = shared();
  const { plane } = intakes[0];
  const customer = freshName('revoked-here');
  const setup = { eventTypes: ['root-cause'], match: { company: [customer] } };
  await plane.call('POST', '/invitations', { body: { customer, setup } });
  const { page, wrongs, close } = await openPage(browser, portalOrigin());
  await signIn(page, operator.token, `/portal/invitations?customer=${customer}`);
  await page.getByRole('button', { name: 'Revoke…' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Revoke' }).click();
  await page.getByRole('cell', { name: 'Revoked', exact: true }).waitFor();

  const bobs = await openPage(browser, portalOrigin());
  await signIn(bobs.page, reader.token, '/portal/sessions');
  await bobs.page.getByText('bob (reader), this session').waitFor();
  expect(await bobs.page.getByText('ann (operator)').count()).toBe(0);
  await page.getByRole('link', { name: 'ann (operator)' }).click();
  const row = page.getByRole('row').filter({ hasText: 'bob (reader)' });
  await row.first().getByRole('button', { name: 'Revoke…' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Revoke' }).click();
  await page.getByRole('dialog').waitFor({ state: 'hidden' });
  await bobs.page.reload();
  await bobs.page.getByRole('dialog', { name: 'Sign in to Databridge Events' }).waitFor();
  expect(wrongs).toEqual([]);
  await bobs.close();
  await close();
});
