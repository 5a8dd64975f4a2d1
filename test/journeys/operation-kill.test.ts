/** Long operations are carried on after the control plane that ran them is killed. */
import { Tokens } from '@databridge/kernel/secrets/tokens';
import { rootCauseEvent } from '../harness/events.ts';
import { eventually } from '../harness/eventually.ts';
import { Receiver } from '../harness/receiver.ts';
import { type ControlPlane, startControlPlane } from '../harness/services/control-plane.ts';
import { Stage } from '../harness/stage.ts';
import { freshName } from '../harness/topics.ts';

let stage: Stage;
const tokens = [Tokens.generate('ann', 'operator')];

beforeAll(async () => {
  stage = await Stage.start();
});

const open = () => startControlPlane(tokens, { DATABRIDGE_KEYS: stage.keys, SESSION_TIMEOUT: '6s' });
const async = { prefer: 'respond-async' };
/** Events, so that none of the operations is done before the kill. */
const MANY = 300;

test('a rewind and a deletion that a kill interrupts are resumed by the next control plane', async () => {
  const [rewound, deleted] = [freshName('rewound'), freshName('deleted')];
  const hung = Promise.withResolvers<void>();
  // The first requests of each hang, so that its worker can't let go, and the operations wait for it.
  const receivers = await Promise.all(
    [rewound, deleted].map(async (customer) => {
      const receiver = await Receiver.start((_request, nth) => (nth === 1 ? { after: hung.promise } : {}));
      await stage.subscribe(customer, receiver.url);
      await stage.upstream.produce(Array.from({ length: 3 }, () => rootCauseEvent({ company: customer })));
      await receiver.waitFor(({ requests }) => requests.length === 3);
      return receiver;
    }),
  );
  const first = await open();
  const begun = await first.call('POST', `/subscriptions/${rewound}/rewinds`, {
    body: { to: 'earliest' },
    headers: async,
  });
  expect(begun).toMatchObject({ status: 202, body: { kind: 'rewind', state: 'running' } });
  const etag = (await first.call('GET', `/subscriptions/${deleted}`)).headers.get('etag') ?? '';
  const deletion = await first.call('DELETE', `/subscriptions/${deleted}?waiting=discard`, {
    headers: { ...async, 'if-match': etag },
  });
  expect(deletion.status).toBe(202);
  const stateOf = async (customer: string) => (await first.call('GET', `/subscriptions/${customer}`)).body.state;
  for (const customer of [rewound, deleted]) {
    await eventually(
      () => stateOf(customer),
      (state) => state === 'paused',
    );
  }
  await first.service.kill();
  hung.resolve();

  const second = await open();
  const operation = async (id: string) => (await second.call('GET', `/operations/${id}`)).body;
  for (const { body } of [begun, deletion]) {
    const ended = await eventually(
      () => operation(body.id),
      ({ state }) => state !== 'running',
      90_000,
    );
    expect(ended).toMatchObject({ state: 'done', by: { name: 'ann' } });
  }
  expect((await second.call('GET', `/subscriptions/${rewound}`)).body.state).toBe('active');
  await receivers[0]?.waitFor(({ requests }) => requests.length >= 6);
  expect((await second.call('GET', `/subscriptions/${deleted}`)).status).toBe(404);
  expect((await stage.admin.listTopics()).filter((topic) => topic.startsWith(`delivery.${deleted}`))).toEqual([]);
  expect((await second.call('GET', '/operations?state=running')).body.items).toEqual([]);
  expect(await second.service.stop()).toBe(0);
});

test('redeliveries, redrives and discards that a kill interrupts are resumed, and leave nothing out', async () => {
  const [redelivered, redriven, discarded] = [freshName('redelivered'), freshName('redriven'), freshName('discarded')];
  let isRefusing = true;
  const refused = [0, 0, 0];
  const receivers = await Promise.all(
    [redelivered, redriven, discarded].map(async (customer, at) => {
      // Without one success among so many refusals, the customer would be held.
      const receiver = await Receiver.start(({ id }) => {
        const isRefused = at > 0 && isRefusing && receiver.requests.findIndex((one) => one.id === id) % 5 !== 0;
        if (isRefused) refused[at] = (refused[at] ?? 0) + 1;
        return isRefused ? { status: 400 } : {};
      });
      await stage.subscribe(customer, receiver.url);
      await stage.upstream.produce(Array.from({ length: MANY }, () => rootCauseEvent({ company: customer })));
      return receiver;
    }),
  );
  await Promise.all(receivers.map((receiver) => receiver.waitFor(({ requests }) => requests.length >= MANY)));
  const first = await open();
  const lettersOf = async (plane: ControlPlane, customer: string) =>
    (await plane.call('GET', `/subscriptions/${customer}/dead-letters?limit=1000`)).body.items.length as number;
  for (const [at, customer] of [redelivered, redriven, discarded].entries()) {
    await eventually(
      () => lettersOf(first, customer),
      (count) => count === refused[at],
    );
  }
  isRefusing = false;
  const begin = (path: string, body: object) => first.call('POST', path, { body, headers: async });
  const begun = await Promise.all([
    begin(`/subscriptions/${redelivered}/redeliveries`, { from: '2020-01-01T00:00:00Z' }),
    begin(`/subscriptions/${redriven}/dead-letters/redrives`, {}),
    begin(`/subscriptions/${discarded}/dead-letters/discards`, {}),
  ]);
  await first.service.kill();
  expect(begun.map(({ status }) => status)).toEqual([202, 202, 202]);

  const second = await open();
  const ended = await Promise.all(
    begun.map(({ body }) =>
      eventually(
        async () => (await second.call('GET', `/operations/${body.id}`)).body,
        ({ state }) => state !== 'running',
        90_000,
      ),
    ),
  );
  expect(ended.map(({ kind, state }) => `${kind} ${state}`)).toEqual([
    ...['redeliver done', 'redrive done', 'discard done'],
  ]);
  // At least one was in the middle: which of them, the kill decides.
  expect(second.service.logs.filter(({ msg }) => msg === 'operation resumed')).not.toEqual([]);
  const [redelivery, redrive, discard] = ended.map(({ result }) => result);
  expect(redelivery).toMatchObject({ events: MANY, replayId: `redelivery-${begun[0]?.body.id}` });
  expect(refused.slice(1).every((count) => count > MANY / 2)).toBe(true);
  expect(redrive).toMatchObject({ taken: refused[1], stayed: 0 });
  expect(discard).toMatchObject({ taken: refused[2], stayed: 0 });
  expect([await lettersOf(second, redriven), await lettersOf(second, discarded)]).toEqual([0, 0]);
  for (const [at, again] of [MANY, refused[1] ?? 0].entries()) {
    const perEvent = ({ requests }: Receiver) => Map.groupBy(requests, ({ id }) => id);
    const sentAgain = (one: Receiver) => [...perEvent(one).values()].filter((sent) => sent.length > 1).length;
    await receivers[at]?.waitFor((one) => sentAgain(one) === again);
    expect(perEvent(receivers[at] as Receiver).size).toBe(MANY);
  }
  expect(await second.service.stop()).toBe(0);
});

test('what was asked for wrongly is refused, by name, and begins nothing', async () => {
  const customer = freshName('refused');
  const receiver = await Receiver.start();
  await stage.subscribe(customer, receiver.url);
  const plane = await open();
  const post = (path: string, body: object) => plane.call('POST', path, { body });
  const letters = `/subscriptions/${customer}/dead-letters`;
  expect(await post(`${letters}/redrives`, { reasons: ['refusde'] })).toMatchObject({
    status: 422,
    body: { detail: expect.stringContaining('did you mean "refused"?') },
  });
  expect(await post(`${letters}/discards`, { ids: ['none'] })).toMatchObject({
    status: 404,
    body: { detail: expect.stringContaining('"none"') },
  });
  const [from, to] = ['2026-01-02T00:00:00Z', '2026-01-01T00:00:00Z'];
  expect((await post(`/subscriptions/${customer}/redeliveries`, { from, to })).status).toBe(422);
  expect((await plane.call('GET', `/subscriptions/${customer}/attempts?from=${from}&to=${to}`)).status).toBe(422);
  const misspelt = await plane.call('PUT', `/subscriptions/${freshName('misspelt')}`, {
    headers: { 'if-none-match': '*' },
    body: { eventTypes: ['root-cuase'], match: 'everything', destination: { type: 'http', url: receiver.url } },
  });
  expect(misspelt).toMatchObject({
    status: 422,
    body: { errors: [{ pointer: '/eventTypes/0', detail: expect.stringContaining('did you mean "root-cause"?') }] },
  });
  expect((await plane.call('GET', '/operations?state=running')).body.items).toEqual([]);

  // The quarantine: listed without contents, opened with them, and redriven only where something has changed.
  const place = `${stage.upstream.topic}/0/990`;
  await stage.operations.producer.send([
    {
      ...{ topic: 'fan-out.quarantine', key: place, value: 'no frame' },
      headers: {
        ...{ 'event-id': 'q-1', 'event-type': 'root-cause', source: place },
        ...{ 'quarantine-reason': 'malformed-frame', 'quarantine-detail': 'no magic byte' },
      },
    },
  ]);
  const listed = await plane.call('GET', '/quarantine?limit=1000');
  expect(listed.body.items).toContainEqual(expect.objectContaining({ id: place, reason: 'malformed-frame', bytes: 8 }));
  expect(JSON.stringify(listed.body)).not.toContain(Buffer.from('no frame').toString('base64'));
  const opened = await post('/quarantine/openings', { id: place });
  expect(opened).toMatchObject({ status: 200, body: { value: Buffer.from('no frame').toString('base64') } });
  const audit = await plane.call('GET', '/audit?limit=5');
  expect(audit.body.items).toContainEqual(expect.objectContaining({ what: 'open-quarantine', detail: { id: place } }));
  const ids = [place];
  expect(await post('/quarantine/redrives', { ids, dryRun: true })).toMatchObject({ body: { chosen: 1 } });
  expect(await post('/quarantine/redrives', { ids })).toMatchObject({
    status: 200,
    body: { taken: 0, stayed: 1, stillUnreadable: 1 },
  });
  expect(await post('/quarantine/discards', { ids })).toMatchObject({ status: 200, body: { taken: 1 } });
  expect((await post('/quarantine/openings', { id: place })).status).toBe(404);
  expect(await plane.service.stop()).toBe(0);
});
