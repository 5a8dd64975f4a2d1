/** An idempotency key is good across the end of the control plane that carried out its request. */
import { Tokens } from '@databridge/kernel/secrets/tokens';
import { IDEMPOTENCY_TOPIC } from '@databridge/schemas/records/topics';
import { Receiver } from '../harness/receiver.ts';
import { type ControlPlane, startControlPlane } from '../harness/services/control-plane.ts';
import { Stage } from '../harness/stage.ts';
import { freshName } from '../harness/topics.ts';

const customer = freshName('acme');
const [ann, acme, namesake] = [
  Tokens.generate('ann', 'operator'),
  Tokens.generate('ci', 'customer', customer),
  Tokens.generate('ci', 'customer', customer),
];
let stage: Stage;

beforeAll(async () => {
  stage = await Stage.start();
});

const open = () => startControlPlane([ann, acme, namesake], { DATABRIDGE_KEYS: stage.keys, SESSION_TIMEOUT: '6s' });

test('a request is not carried out again by the control plane that takes over after a kill', async () => {
  const receiver = await Receiver.start();
  await stage.subscribe(customer, receiver.url);
  const [first, second] = [await open(), await open()];
  const act = async (plane: ControlPlane, action: string, key?: string, token = acme.token) => {
    const headers: Record<string, string> = key === undefined ? {} : { 'idempotency-key': key };
    const {
      status,
      headers: answered,
      body,
    } = await plane.call('POST', `/subscriptions/${customer}/${action}`, {
      ...{ token, headers },
    });
    return { status, isReplayed: answered.get('idempotency-replayed') === 'true', body };
  };
  const rewind = (plane: ControlPlane) =>
    plane.call('POST', `/subscriptions/${customer}/rewinds`, {
      ...{ body: { to: 'earliest' }, token: ann.token, headers: { 'idempotency-key': 'rewind-1' } },
    });

  // By the standby, so that it is forwarded to the writer.
  const paused = await act(second, 'pause', 'pause-1');
  expect(paused).toMatchObject({ status: 200, isReplayed: false, body: { before: 'active', after: 'paused' } });
  expect((await act(first, 'resume')).status).toBe(200);
  const rewound = await rewind(first);
  expect(rewound.status).toBe(200);
  await first.service.kill();

  const repeated = await act(second, 'pause', 'pause-1');
  expect(repeated).toEqual({ ...paused, isReplayed: true });
  const again = await rewind(second);
  expect([again.headers.get('idempotency-replayed'), again.headers.get('location')]).toEqual([
    'true',
    rewound.headers.get('location'),
  ]);
  expect(again.body).toEqual(rewound.body);
  expect((await second.call('GET', `/subscriptions/${customer}`)).body.state).toBe('active');
  const operations = (await second.call('GET', '/operations')).body.items;
  expect(operations.filter((one: { customer?: string }) => one.customer === customer)).toHaveLength(1);
  // Another token of the same name has keys of its own.
  expect(await act(second, 'pause', 'pause-1', namesake.token)).toMatchObject({ status: 200, isReplayed: false });
  // Neither the key nor an answer stands in the topic in clear.
  const stored = (await stage.read(IDEMPOTENCY_TOPIC)).map(({ key, value }) => `${key} ${value}`).join();
  expect(stored).toContain(`customer:${customer}`);
  expect(stored).not.toMatch(/pause-1|rewind-1|"paused"/);
  expect(await second.service.stop()).toBe(0);
});
