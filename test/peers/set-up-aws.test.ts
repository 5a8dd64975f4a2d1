/** A customer with an SQS queue sets itself up on the page: the queue is moto's, which checks signatures and rights. */
import { Tokens } from '@databridge/kernel/secrets/tokens';
import { rootCauseEvent } from '../harness/events.ts';
import { eventually } from '../harness/eventually.ts';
import { Moto } from '../harness/peers/moto.ts';
import { chromiumPath, launchBrowser } from '../harness/portal/browser.ts';
import { invite, openInvited, sendIt, startIntake } from '../harness/portal/set-up-page.ts';
import { Stage } from '../harness/stage.ts';
import { freshName } from '../harness/topics.ts';

/** Debian's package `chromium`; .ci/run installs it. */
const withBrowser = chromiumPath() === undefined ? test.skip : test;

withBrowser(
  'AWS: a wrong key is seen and corrected, the test event is in the queue, and the first event follows it',
  async () => {
    const customer = freshName('aws');
    const moto = await Moto.start();
    const queueUrl = await moto.createQueue();
    const [stage, browser] = await Promise.all([Stage.start(), launchBrowser()]);
    try {
      const intake = await startIntake(stage, [Tokens.generate('ann', 'operator')]);
      const setup = { eventTypes: ['root-cause'], match: { company: [customer] } };
      const { page, wrongs, close } = await openInvited(browser, intake, await invite(intake, customer, { setup }));
      const fill = async (secret: string) => {
        await page.getByLabel('Destination').selectOption('sqs');
        await page.getByLabel('URL of the queue').fill(queueUrl);
        await page.getByLabel('Region').fill(Moto.region);
        await page.getByLabel('How does it know us?').selectOption('aws');
        await page.getByLabel('Access key id').fill(moto.keys.accessKeyId);
        await page.getByLabel('Secret access key').fill(secret);
        await sendIt(page);
      };
      await fill('A'.repeat(40));
      await page.getByText('Your destination refused what identifies us').waitFor();
      await page.getByRole('button', { name: 'Correct it' }).click();
      await fill(moto.keys.secretAccessKey);
      await page.getByText('Your destination accepted the test event').waitFor();
      expect(wrongs).toEqual([]);
      await close();
      expect(await moto.received(queueUrl)).toHaveLength(1);
      expect(await intake.plane.call('POST', `/subscriptions/${customer}/approve`)).toMatchObject({ status: 200 });
      await stage.fanOutKnowsAll();
      await stage.upstream.produce([rootCauseEvent({ company: customer })]);
      await eventually(
        () => moto.received(queueUrl),
        (messages) => messages.length === 1,
      );
    } finally {
      await browser.close();
    }
  },
  300_000,
);
