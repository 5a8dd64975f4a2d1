/** The writer is killed while two answer one invitation. Nothing else of these tests can follow. */
import { Sealer, type SealingKey } from '@databridge/kernel/secrets/sealer';
import { invite } from '../../harness/portal/set-up-page.ts';
import { Receiver } from '../../harness/receiver.ts';
import { customerAt, openWith, pathOf, SECRETS } from './links.ts';
import { shared } from './shared.ts';

test('with the writer killed while two answer, one of them wins still, and each gets the same answer again', async () => {
  const [intake, second] = shared().intakes;
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
