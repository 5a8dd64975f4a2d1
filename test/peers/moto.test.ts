/** SNS and SQS against moto, which checks signatures and permissions: standard and FIFO, keys and assumed role. */
import { createHash } from 'node:crypto';
import { OwnAccount } from '@databridge/delivery/authorization/own-account';
import { destinationSuite, type Kind } from '../contract/destination-suite.ts';
import { message, openFor } from '../harness/destinations.ts';
import { Moto, tag } from '../harness/peers/moto.ts';
import { FETCH_TIMEOUT_MS } from '../harness/peers/peers-cache.ts';
import { Front } from '../harness/services/front.ts';
import { freshName } from '../harness/topics.ts';
import { snsAnswers, sqsAnswers } from './aws-kinds.ts';

let moto: Moto;

beforeAll(async () => {
  moto = await Moto.start();
}, FETCH_TIMEOUT_MS);

const authentication = (more: object = {}) => ({ type: 'aws', ...moto.keys, ...more });
const throughFront = (front: Front, url: string) => front.origin + new URL(url).pathname;

function sqsKind(isFifo: boolean): Kind {
  let queueUrl = '';
  return {
    answers: sqsAnswers,
    tooLarge: { bytes: 1_048_577 },
    async open(times) {
      const front = await Front.start(moto.url);
      queueUrl = await moto.createQueue(isFifo);
      const destination = { type: 'sqs', queueUrl: throughFront(front, queueUrl), region: Moto.region, ...times };
      return { front, destination: openFor({ destination, authentication: authentication() }) };
    },
    bodies: async () => (await moto.received(queueUrl)).map(({ Body = '' }) => Body),
  };
}

function snsKind(isFifo: boolean): Kind {
  let queueUrl = '';
  return {
    answers: snsAnswers,
    tooLarge: { bytes: 262_145 },
    async open(times) {
      const front = await Front.start(moto.url);
      const topic = await moto.createTopic(isFifo);
      queueUrl = topic.queueUrl;
      const destination = { type: 'sns', topicArn: topic.topicArn, endpoint: front.origin, ...times };
      return { front, destination: openFor({ destination, authentication: authentication() }) };
    },
    bodies: async () => (await moto.received(queueUrl)).map(({ Body = '' }) => Body),
  };
}

destinationSuite('SQS, standard', sqsKind(false));
destinationSuite('SQS, FIFO', sqsKind(true));
destinationSuite('SNS, standard', snsKind(false));
destinationSuite('SNS, FIFO', snsKind(true));

test('FIFO: the event id is group and deduplication id, so that a retry within five minutes is dropped', async () => {
  const queueUrl = await moto.createQueue(true);
  const opened = openFor({
    destination: { type: 'sqs', queueUrl, region: Moto.region },
    authentication: authentication(),
  });
  const event = message();
  const unusual = message({ eventId: `käse ${'x'.repeat(200)}` });
  for (const one of [event, { ...event, attempt: 2 }, unusual]) {
    expect((await opened.send(one, Date.now()))?.outcome.kind).toBe('delivered');
  }
  const messages = await moto.received(queueUrl);
  expect(messages).toHaveLength(2);
  expect(messages[0]?.Attributes).toMatchObject({
    MessageGroupId: event.eventId,
    MessageDeduplicationId: event.eventId,
  });
  expect(messages[0]?.MessageAttributes).toMatchObject({
    'event-id': { StringValue: event.eventId },
    'event-type': { StringValue: 'root-cause' },
    'schema-version': { StringValue: 'v1.0' },
    attempt: { StringValue: '1' },
  });
});

test('when many wait, they go in batches of ten', async () => {
  const queueUrl = await moto.createQueue();
  const front = await Front.start(moto.url);
  const destination = { type: 'sqs', queueUrl: throughFront(front, queueUrl), region: Moto.region };
  const opened = openFor({ destination, authentication: authentication() });
  const events = Array.from({ length: 26 }, () => message());
  const sent = await Promise.all(events.map((event) => opened.send(event, Date.now())));
  // Side by side, they arrive in any order.
  const sizes = front.passed.map(({ body }) => JSON.parse(body).Entries.length as number);
  expect(sizes.sort((a, b) => b - a)).toEqual([10, 10, 6]);
  expect(new Set(sent.map((one) => one?.outcome.kind))).toEqual(new Set(['delivered']));
  const bodies = (await moto.received(queueUrl)).map(({ Body }) => Body);
  expect(bodies.sort()).toEqual(events.map(({ body }) => body.toString()).sort());
});

test('what comes of an entry is its own', async () => {
  const front = await Front.start(moto.url);
  const queueUrl = throughFront(front, await moto.createQueue());
  const opened = openFor({
    destination: { type: 'sqs', queueUrl, region: Moto.region },
    authentication: authentication(),
  });
  const events = Array.from({ length: 4 }, () => message());
  const md5 = (text: string) => createHash('md5').update(text).digest('hex');
  // In the words of the service's reference: moto has no such troubles.
  front.manner = {
    status: 200,
    headers: { 'content-type': 'application/x-amz-json-1.0' },
    body: JSON.stringify({
      Successful: [{ Id: '0', MessageId: 'm-0', MD5OfMessageBody: md5(events[0]?.body.toString() ?? '') }],
      Failed: [
        { Id: '1', SenderFault: true, Code: 'InvalidMessageContents', Message: 'said so' },
        { Id: '2', SenderFault: false, Code: 'InternalError', Message: 'said so' },
        { Id: '3', SenderFault: true, Code: 'RequestThrottled', Message: 'said so' },
      ],
    }),
  };
  const sent = await Promise.all(events.map((event) => opened.send(event, Date.now())));
  expect(sent.map((one) => one?.outcome)).toEqual([
    { kind: 'delivered', status: 200 },
    { kind: 'refused', status: 400, reason: 'InvalidMessageContents: said so' },
    { kind: 'retry', status: 500, reason: 'InternalError: said so' },
    { kind: 'retry', status: 429, reason: 'RequestThrottled: said so' },
  ]);
  expect(front.passed).toHaveLength(1);
});

test('a wrong secret, an unknown queue and a missing permission', async () => {
  const queueUrl = await moto.createQueue();
  const send = async (url: string, more: object) => {
    const opened = openFor({
      destination: { type: 'sqs', queueUrl: url, region: Moto.region },
      authentication: authentication(more),
    });
    return (await opened.send(message(), Date.now()))?.outcome;
  };
  expect(await send(queueUrl, { secretAccessKey: 'x'.repeat(40) })).toMatchObject({
    kind: 'deauthorized',
    // moto answers SQS's JSON protocol in XML here; AWS says SignatureDoesNotMatch.
    status: 403,
  });
  expect(await send(queueUrl, { accessKeyId: 'AKIAUNKNOWNUNKNOWN00' })).toMatchObject({ kind: 'deauthorized' });
  expect(await send(`${moto.url}/123456789012/nowhere`, {})).toMatchObject({
    kind: 'refused',
    reason: expect.stringMatching(/NonExistentQueue|QueueDoesNotExist/),
  });
  expect(await moto.received(queueUrl)).toHaveLength(0);
});

describe('an assumed role', () => {
  test('its keys are asked for once, with the external id, and used', async () => {
    const front = await Front.start(moto.url);
    const queueUrl = await moto.createQueue();
    const role = await createRole({ Effect: 'Allow', Action: 'sqs:*', Resource: '*' });
    const opened = openFor(
      {
        destination: { type: 'sqs', queueUrl, region: Moto.region },
        authentication: { type: 'aws', roleArn: role, externalId: 'acme-17' },
      },
      { sts: { endpoint: front.origin, credentials: { ...moto.ownKeys } } },
    );
    const sent = await Promise.all(Array.from({ length: 30 }, () => opened.send(message(), Date.now())));
    expect(new Set(sent.map((one) => JSON.stringify(one?.outcome)))).toEqual(
      new Set(['{"kind":"delivered","status":200}']),
    );
    const actions = front.passed.map(({ body }) => Object.fromEntries(new URLSearchParams(body)));
    expect(actions.map(({ Action }) => Action)).toEqual(['GetCallerIdentity', 'AssumeRole']);
    expect(actions[1]).toMatchObject({
      Action: 'AssumeRole',
      RoleArn: role,
      ExternalId: 'acme-17',
      RoleSessionName: 'databridge-acme',
    });
  });

  test('one of our own account is never assumed, and the worker reports that account', async () => {
    const front = await Front.start(moto.url);
    const queueUrl = await moto.createQueue();
    const ownAccount = new OwnAccount();
    const send = async (roleArn: string) => {
      const opened = openFor(
        {
          destination: { type: 'sqs', queueUrl, region: Moto.region },
          authentication: { type: 'aws', roleArn, externalId: 'acme-17' },
        },
        { ownAccount, sts: { endpoint: front.origin, credentials: { ...moto.ownKeys } } },
      );
      return (await opened.send(message(), Date.now()))?.outcome;
    };
    expect(await send('arn:aws:iam::210987654321:role/admin')).toMatchObject({
      kind: 'deauthorized',
      reason: expect.stringContaining('own account'),
    });
    expect(ownAccount.known).toBe('210987654321');
    const role = await createRole({ Effect: 'Allow', Action: 'sqs:*', Resource: '*' });
    expect(await send(role)).toMatchObject({ kind: 'delivered' });
    const actions = front.passed.map(({ body }) => new URLSearchParams(body).get('Action'));
    // Asked once for all customers.
    expect(actions).toEqual(['GetCallerIdentity', 'AssumeRole']);
  });

  test('one that is denied, and STS in trouble, are the connection’s fault', async () => {
    const front = await Front.start(moto.url);
    front.manner = snsAnswers.unauthorized;
    const queueUrl = await moto.createQueue();
    const roleArn = 'arn:aws:iam::123456789012:role/denied';
    const opened = openFor(
      {
        destination: { type: 'sqs', queueUrl, region: Moto.region },
        authentication: { type: 'aws', roleArn, externalId: 'acme-17' },
      },
      { sts: { endpoint: front.origin, credentials: { ...moto.ownKeys } } },
    );
    const reason = expect.stringContaining(`assuming ${roleArn} failed`);
    expect((await opened.send(message(), Date.now()))?.outcome).toMatchObject({ kind: 'deauthorized', reason });
    front.manner = 'drop';
    expect((await opened.send(message(), Date.now()))?.outcome).toMatchObject({ kind: 'deauthorized', reason });
  });
});

/** Signed, as all that is asked of moto by then. */
async function createRole(statement: object): Promise<string> {
  const { HttpRequest } = await import('@smithy/protocol-http');
  const { SignatureV4 } = await import('@smithy/signature-v4');
  const { Sha256 } = await import('@databridge/delivery/authorization/sigv4');
  const signer = new SignatureV4({
    service: 'iam',
    region: 'us-east-1',
    credentials: { ...moto.keys },
    sha256: Sha256,
  });
  const ask = async (parameters: Record<string, string>) => {
    const body = new URLSearchParams({ Version: '2010-05-08', ...parameters }).toString();
    const { host, hostname, port } = new URL(moto.url);
    const headers = { host, 'content-type': 'application/x-www-form-urlencoded' };
    const request = new HttpRequest({
      method: 'POST',
      protocol: 'http:',
      hostname,
      port: Number(port),
      path: '/',
      headers,
      body,
    });
    const signed = await signer.sign(request);
    const { host: _set, ...others } = signed.headers;
    const response = await fetch(moto.url, { method: 'POST', headers: others, body });
    const text = await response.text();
    if (!response.ok) throw new Error(text);
    return text;
  };
  const RoleName = freshName('role');
  const trust = {
    Version: '2012-10-17',
    Statement: [{ Effect: 'Allow', Principal: { AWS: '*' }, Action: 'sts:AssumeRole' }],
  };
  const made = await ask({ Action: 'CreateRole', RoleName, AssumeRolePolicyDocument: JSON.stringify(trust) });
  const policy = { Version: '2012-10-17', Statement: [statement] };
  await ask({ Action: 'PutRolePolicy', RoleName, PolicyName: 'send', PolicyDocument: JSON.stringify(policy) });
  return tag(made, 'Arn');
}
