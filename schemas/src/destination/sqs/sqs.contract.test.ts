/** How batches to SQS are split, and replays told apart, against an endpoint that answers as SQS does on bad days. */
import { createHash } from 'node:crypto';
import { message, openFor } from '../../../../test/harness/destinations.ts';
import { Front, type Manner, type Passed } from '../../../../test/harness/services/front.ts';

const authentication = {
  type: 'aws',
  accessKeyId: 'AKIAIOSFODNN7EXAMPLE',
  secretAccessKey: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY',
};

interface Entry {
  readonly Id: string;
  readonly MessageBody: string;
  readonly MessageGroupId?: string;
  readonly MessageDeduplicationId?: string;
}

const entriesOf = ({ body }: Passed) => (JSON.parse(body) as { Entries: Entry[] }).Entries;
const headers = { 'content-type': 'application/x-amz-json-1.0' };
const json = (status: number, answer: object): Manner => ({ status, headers, body: JSON.stringify(answer) });
const accepted = ({ Id, MessageBody }: Entry) => ({
  Id,
  MessageId: `m-${Id}`,
  MD5OfMessageBody: createHash('md5').update(MessageBody).digest('hex'),
});
const refusal = (code: string) => json(400, { __type: `com.amazonaws.sqs#${code}`, message: 'said so' });

async function openQueue(manner: (entries: Entry[]) => Manner, name = 'events') {
  const front = await Front.start();
  front.manner = (request) => manner(entriesOf(request));
  const queueUrl = `${front.origin}/123456789012/${name}`;
  const destination = openFor({ destination: { type: 'sqs', queueUrl, region: 'eusc-de-east-1' }, authentication });
  const sendAll = async (messages: ReturnType<typeof message>[]) => {
    const sent = await Promise.all(messages.map((one) => destination.send(one, Date.now())));
    return sent.map((one) => one?.outcome);
  };
  return { front, sendAll };
}

const ten = () => Array.from({ length: 10 }, (_, nth) => message({ body: nth === 6 ? '"culprit"' : `${nth}` }));
const acceptsAll = (entries: Entry[]) => json(200, { Successful: entries.map(accepted), Failed: [] });

test.each(['InvalidMessageContents', 'InvalidParameterValue', 'BatchRequestTooLong'])(
  'a batch that is refused as a whole (%s) is split until the culprit is alone',
  async (code) => {
    const { front, sendAll } = await openQueue((entries) =>
      entries.some(({ MessageBody }) => MessageBody === '"culprit"') ? refusal(code) : acceptsAll(entries),
    );
    const outcomes = await sendAll(ten());
    expect(outcomes.map((outcome) => outcome?.kind)).toEqual(
      Array.from({ length: 10 }, (_, nth) => (nth === 6 ? 'refused' : 'delivered')),
    );
    expect(front.passed.length).toBeLessThanOrEqual(19);
  },
);

test('what concerns the queue or us is not split', async () => {
  for (const [code, kind] of [
    ['QueueDoesNotExist', 'refused'],
    ['AccessDenied', 'deauthorized'],
    ['ThrottlingException', 'retry'],
  ] as const) {
    const { front, sendAll } = await openQueue(() => refusal(code));
    const outcomes = await sendAll(ten());
    expect(new Set(outcomes.map((outcome) => outcome?.kind))).toEqual(new Set([kind]));
    expect(front.passed).toHaveLength(1);
  }
});

test('each entry has its own outcome, and one that is not mentioned is sent again', async () => {
  const { sendAll } = await openQueue((entries) =>
    json(200, {
      Successful: entries.slice(0, 8).map(accepted),
      Failed: [{ Id: '8', Code: 'InvalidMessageContents', SenderFault: true }],
    }),
  );
  const kinds = (await sendAll(ten())).map((outcome) => outcome?.kind);
  expect(kinds).toEqual([...Array(8).fill('delivered'), 'refused', 'retry']);
});

test('a checksum that does not match is no internal error', async () => {
  const wrong = ({ Id }: Entry) => ({ Id, MessageId: 'm', MD5OfMessageBody: '0'.repeat(32) });
  const { sendAll } = await openQueue((entries) => json(200, { Successful: entries.map(wrong) }));
  expect(await sendAll([message()])).toEqual([{ kind: 'retry', reason: expect.stringContaining('MD5') }]);
});

test('FIFO: a retry has the same deduplication id; a replay, a rewind and a namesake from another source one of their own', async () => {
  const { front, sendAll } = await openQueue(acceptsAll, 'events.fifo');
  const eventId = 'evt_1';
  const source = 'root-cause.events/0/7';
  await sendAll([message({ eventId, source })]);
  await sendAll([message({ eventId, source, attempt: 2 })]);
  await sendAll([message({ eventId, source, replayId: 'replay-1' })]);
  await sendAll([message({ eventId, source, replayId: 'replay-1', attempt: 2 })]);
  await sendAll([message({ eventId, source, replayId: 'replay-2' })]);
  await sendAll([message({ eventId, source: 'root-cause.events/0/8' })]);
  // A rewind sends the same records again, and ends with a resuming.
  await sendAll([message({ eventId, source, enableEpoch: 1 })]);
  await sendAll([message({ eventId, source, enableEpoch: 2 })]);
  await sendAll([message({ eventId, source, enableEpoch: 2, attempt: 2 })]);
  const [first, retry, replay, replayRetry, another, namesake, ...rewound] = front.passed.flatMap(entriesOf);
  const id = 'evt_1@root-cause.events/0/7';
  expect(first).toMatchObject({ MessageGroupId: eventId, MessageDeduplicationId: id });
  expect(retry?.MessageDeduplicationId).toBe(id);
  expect(replay).toMatchObject({ MessageGroupId: eventId, MessageDeduplicationId: `${id}/replay-1` });
  expect(replayRetry?.MessageDeduplicationId).toBe(`${id}/replay-1`);
  expect(another?.MessageDeduplicationId).toBe(`${id}/replay-2`);
  expect(namesake).toMatchObject({ MessageGroupId: eventId, MessageDeduplicationId: 'evt_1@root-cause.events/0/8' });
  const rewoundIds = [`${id}/resumed-1`, `${id}/resumed-2`, `${id}/resumed-2`];
  expect(rewound.map(({ MessageDeduplicationId }) => MessageDeduplicationId)).toEqual(rewoundIds);
});
