/** A second opinion on SQS: ElasticMQ, which shares no code with moto. It checks no signatures. */
import { CreateQueueCommand, ReceiveMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { freePorts } from '@databridge/local-platform/free-port';
import { findJava } from '@databridge/local-platform/jvm/java';
import { destinationSuite, type Kind } from '../contract/destination-suite.ts';
import { message, openFor } from '../harness/destinations.ts';
import { classPath } from '../harness/peers/maven.ts';
import { startPeer } from '../harness/peers/peer-process.ts';
import { FETCH_TIMEOUT_MS } from '../harness/peers/peers-cache.ts';
import { Front } from '../harness/services/front.ts';
import { freshName } from '../harness/topics.ts';
import { sqsAnswers } from './aws-kinds.ts';

const region = 'eu-west-1';
const keys = { accessKeyId: 'AKIAIOSFODNN7EXAMPLE', secretAccessKey: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY' };
let origin = '';
let sqs: SQSClient;

beforeAll(async () => {
  const [jars, java] = await Promise.all([classPath('org.elasticmq:elasticmq-server_2.13:1.7.1'), findJava(undefined)]);
  const [port = 0, statsPort = 0] = await freePorts(2);
  const settings = [
    `-Drest-sqs.bind-port=${port}`,
    '-Drest-sqs.bind-hostname=127.0.0.1',
    `-Drest-stats.bind-port=${statsPort}`,
  ];
  const address = ['-Dnode-address.host=127.0.0.1', `-Dnode-address.port=${port}`];
  await startPeer({
    program: java.command,
    args: [...settings, ...address, '-cp', jars, 'org.elasticmq.server.Main'],
    port,
  });
  origin = `http://127.0.0.1:${port}`;
  sqs = new SQSClient({ region, endpoint: origin, credentials: { ...keys } });
}, FETCH_TIMEOUT_MS);

async function createQueue(isFifo: boolean): Promise<string> {
  const QueueName = freshName('events') + (isFifo ? '.fifo' : '');
  const Attributes: Record<string, string> = isFifo ? { FifoQueue: 'true' } : {};
  return (await sqs.send(new CreateQueueCommand({ QueueName, Attributes }))).QueueUrl ?? '';
}

async function bodiesIn(QueueUrl: string): Promise<string[]> {
  const bodies: string[] = [];
  for (;;) {
    const { Messages = [] } = await sqs.send(new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10 }));
    if (Messages.length === 0) return bodies;
    bodies.push(...Messages.map(({ Body = '' }) => Body));
  }
}

function kind(isFifo: boolean): Kind {
  let queueUrl = '';
  return {
    answers: sqsAnswers,
    tooLarge: { bytes: 1_048_577 },
    async open(times) {
      const front = await Front.start(origin);
      queueUrl = await createQueue(isFifo);
      const destination = { type: 'sqs', queueUrl: front.origin + new URL(queueUrl).pathname, region, ...times };
      return { front, destination: openFor({ destination, authentication: { type: 'aws', ...keys } }) };
    },
    bodies: () => bodiesIn(queueUrl),
  };
}

destinationSuite('SQS, standard', kind(false));
destinationSuite('SQS, FIFO', kind(true));

test('a batch that is too long for the server goes in halves, and each event arrives once', async () => {
  const queueUrl = await createQueue(false);
  const front = await Front.start(origin);
  const destination = { type: 'sqs', queueUrl: front.origin + new URL(queueUrl).pathname, region };
  const opened = openFor({ destination, authentication: { type: 'aws', ...keys } });
  const tooLong = {
    status: 400,
    headers: { 'content-type': 'application/x-amz-json-1.0' },
    body: '{"__type":"com.amazonaws.sqs#BatchRequestTooLong","message":"said so"}',
  };
  front.manner = ({ body }) => (JSON.parse(body).Entries.length > 3 ? tooLong : 'pass');
  const events = Array.from({ length: 10 }, () => message());
  const sent = await Promise.all(events.map((event) => opened.send(event, Date.now())));
  expect(sent.map((one) => one?.outcome.kind)).toEqual(Array(10).fill('delivered'));
  expect((await bodiesIn(queueUrl)).sort()).toEqual(events.map(({ body }) => body.toString()).sort());
});
