/** What every destination does, against an endpoint that fails as EventBridge does on bad days. */
import { destinationSuite, type Kind } from '../../../../test/contract/destination-suite.ts';
import { message, openFor } from '../../../../test/harness/destinations.ts';
import { Front, type Manner, type Passed } from '../../../../test/harness/services/front.ts';
import { answers, KEYS } from './answers.fixture.ts';

interface SentEntry {
  readonly Detail: string;
}

const entriesOf = ({ body }: Passed) => (JSON.parse(body) as { Entries: SentEntry[] }).Entries;
const dataOf = ({ Detail }: SentEntry) => JSON.stringify(JSON.parse(Detail).data);
const json = (answer: object): Manner => ({ status: 200, body: JSON.stringify(answer) });
const accepted = (entry: SentEntry) => ({ EventId: `id-${dataOf(entry).length}` });
const acceptsAll = (request: Passed) => json({ FailedEntryCount: 0, Entries: entriesOf(request).map(accepted) });

async function openBus(times: object = {}) {
  const front = await Front.start();
  front.manner = acceptsAll;
  const eventBusArn = 'arn:aws:events:eu-west-1:123456789012:event-bus/events';
  const destination = { type: 'eventbridge', eventBusArn, endpoint: front.origin, ...times };
  return { front, destination: openFor({ destination, authentication: KEYS }) };
}

let front: Front;
const kind: Kind = {
  answers,
  tooLarge: { bytes: 262_144 },
  async open(times) {
    const opened = await openBus(times);
    front = opened.front;
    return opened;
  },
  bodies: async () => front.passed.flatMap(entriesOf).map(dataOf),
};

destinationSuite('EventBridge', kind);

test('events that wait together go ten at a time, and each has its own outcome', async () => {
  const { front, destination } = await openBus();
  front.manner = (request) => {
    const Entries = entriesOf(request).map((entry) =>
      dataOf(entry) === '"culprit"' ? { ErrorCode: 'MalformedDetail', ErrorMessage: 'said so' } : accepted(entry),
    );
    return json({ FailedEntryCount: 1, Entries });
  };
  const messages = Array.from({ length: 23 }, (_, nth) => message({ body: nth === 12 ? '"culprit"' : `${nth}` }));
  const sent = await Promise.all(messages.map((one) => destination.send(one, Date.now())));
  const sizes = front.passed.map((request) => entriesOf(request).length);
  expect(sizes.sort((a, b) => b - a)).toEqual([10, 10, 3]);
  expect(sent.map((one) => one?.outcome.kind)).toEqual(
    messages.map((_, nth) => (nth === 12 ? 'refused' : 'delivered')),
  );
});

test('a batch contains less than 256 KiB, and one that is refused as a whole is split', async () => {
  const { front, destination } = await openBus();
  const refused = { status: 400, body: '{"__type":"ValidationException","message":"over the limit"}' };
  front.manner = (request) => (entriesOf(request).length > 1 ? refused : acceptsAll(request));
  const body = JSON.stringify('x'.repeat(100_000));
  const sent = await Promise.all([1, 2, 3].map(() => destination.send(message({ body }), Date.now())));
  expect(sent.map((one) => one?.outcome.kind)).toEqual(Array(3).fill('delivered'));
  // Two of them fit together, and are then sent one by one.
  expect(front.passed.map((request) => entriesOf(request).length).sort()).toEqual([1, 1, 1, 2]);
});
