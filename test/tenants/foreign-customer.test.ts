/** Hostile tenant: it uses its own token on the paths of another customer. It learns nothing, not even that the other exists. */
import { Tokens } from '@databridge/kernel/secrets/tokens';
import { Receiver } from '../harness/receiver.ts';
import { startControlPlane } from '../harness/services/control-plane.ts';
import { Stage } from '../harness/stage.ts';

const [operator, mallory] = [
  Tokens.generate('ann', 'operator'),
  Tokens.generate('mallory', 'customer', 'mallory-events'),
];

test('another customer looks to it like one that does not exist, whatever it tries', async () => {
  const stage = await Stage.start();
  const { keys } = stage;
  const plane = await startControlPlane([operator, mallory], { DATABRIDGE_KEYS: keys });
  const receiver = await Receiver.start();
  await stage.subscribe('acme', receiver.url);
  const paths = (customer: string) =>
    [
      ['GET', ''],
      ['PUT', ''],
      ['DELETE', ''],
      ['POST', '/pause'],
      ['POST', '/resume'],
      ['POST', '/enable'],
      ['POST', '/disable'],
      ['GET', '/status'],
      ['GET', '/secrets'],
      ['PUT', '/secrets/authentication.key'],
      ['GET', '/attempts'],
      ['GET', '/attempts/live'],
      ['GET', '/dead-letters'],
      ['GET', '/dead-letters/1'],
      ['GET', '/reconciliation'],
      ['POST', '/comparisons'],
      ['POST', '/rewinds'],
      ['POST', '/redeliveries'],
      ['POST', '/dead-letters/redrives'],
      ['POST', '/test'],
    ].map(([method = '', rest = '']) => [method, `/subscriptions/${customer}${rest}`] as const);
  for (const [index, [method, path]] of paths('acme').entries()) {
    const [, absent = ''] = paths('nobody')[index] ?? [];
    const [real, none] = [
      await plane.call(method, path, { token: mallory.token }),
      await plane.call(method, absent, { token: mallory.token }),
    ];
    const withoutName = (answer: typeof real) => ({
      status: answer.status,
      body: JSON.stringify(answer.body).replaceAll(/acme|nobody/g, '<customer>'),
    });
    expect([method, path, withoutName(real)]).toEqual([method, path, withoutName(none)]);
    expect([method, path, real.status]).toEqual([method, path, 404]);
  }
  expect((await plane.call('GET', '/subscriptions', { token: mallory.token })).body.items).toEqual([]);
});
