import { CreateTopicCommand, SNSClient, SubscribeCommand } from '@aws-sdk/client-sns';
import {
  CreateQueueCommand,
  GetQueueAttributesCommand,
  type Message,
  ReceiveMessageCommand,
  SQSClient,
} from '@aws-sdk/client-sqs';
import { Sha256 } from '@databridge/delivery/authorization/sigv4';
import { freePorts } from '@databridge/local-platform/free-port';
import { HttpRequest } from '@smithy/protocol-http';
import { SignatureV4 } from '@smithy/signature-v4';
import { freshName } from '../topics.ts';
import { startPeer } from './peer-process.ts';
import { python } from './python.ts';

/** Requests that set the accounts up; from then on each must be signed by a user who may do it. */
const SETUP_ACTIONS = 6;
const CUSTOMER_ACCOUNT = '123456789012';
const OWN_ACCOUNT = '210987654321';

export interface Keys {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

/** A customer's AWS account and our own on moto, which checks signatures and permissions, with one user each. */
export class Moto {
  static readonly region = 'eu-west-1';
  readonly url: string;
  /** Of the customer's account. */
  readonly keys: Keys;
  /** Of our own account: those by which a worker assumes roles. */
  readonly ownKeys: Keys;
  readonly #sqs: SQSClient;
  readonly #sns: SNSClient;

  private constructor(url: string, keys: Keys, ownKeys: Keys) {
    const client = { region: Moto.region, endpoint: url, credentials: { ...keys } };
    this.url = url;
    this.keys = Object.freeze(keys);
    this.ownKeys = Object.freeze(ownKeys);
    this.#sqs = new SQSClient(client);
    this.#sns = new SNSClient(client);
  }

  static async start(): Promise<Moto> {
    const program = await python();
    const [port = 0] = await freePorts(1);
    const env = { INITIAL_NO_AUTH_ACTION_COUNT: String(SETUP_ACTIONS) };
    await startPeer({ program: program('moto_server'), args: ['-H', '127.0.0.1', '-p', String(port)], port, env });
    const url = `http://127.0.0.1:${port}`;
    return new Moto(url, await userOf(url, CUSTOMER_ACCOUNT), await userOf(url, OWN_ACCOUNT));
  }

  /** @returns its URL */
  async createQueue(isFifo = false): Promise<string> {
    const QueueName = freshName('events') + (isFifo ? '.fifo' : '');
    const Attributes: Record<string, string> = isFifo ? { FifoQueue: 'true' } : {};
    const { QueueUrl = '' } = await this.#sqs.send(new CreateQueueCommand({ QueueName, Attributes }));
    return QueueUrl;
  }

  /** With a queue that gets what is published, as it is. */
  async createTopic(isFifo = false): Promise<{ topicArn: string; queueUrl: string }> {
    const suffix = isFifo ? '.fifo' : '';
    const Attributes: Record<string, string> = isFifo ? { FifoTopic: 'true' } : {};
    const { TopicArn: topicArn = '' } = await this.#sns.send(
      new CreateTopicCommand({ Name: freshName('topic') + suffix, Attributes }),
    );
    const queueUrl = await this.createQueue(isFifo);
    const Endpoint = await this.arnOfQueue(queueUrl);
    const raw = { RawMessageDelivery: 'true' };
    await this.#sns.send(new SubscribeCommand({ TopicArn: topicArn, Protocol: 'sqs', Endpoint, Attributes: raw }));
    return { topicArn, queueUrl };
  }

  async arnOfQueue(QueueUrl: string): Promise<string> {
    const asked = { QueueUrl, AttributeNames: ['QueueArn' as const] };
    const { Attributes } = await this.#sqs.send(new GetQueueAttributesCommand(asked));
    return Attributes?.['QueueArn'] ?? '';
  }

  /**
   * A signed request in AWS JSON 1.1, to any service.
   * @param service as signatures name it, such as `events`
   * @param target such as `AWSEvents.CreateEventBus`
   */
  async ask(service: string, target: string, parameters: object): Promise<Record<string, unknown>> {
    const { host, hostname, port } = new URL(this.url);
    const signer = new SignatureV4({ service, region: Moto.region, credentials: { ...this.keys }, sha256: Sha256 });
    const request = new HttpRequest({
      ...{ method: 'POST', protocol: 'http:', hostname, port: Number(port), path: '/' },
      headers: { host, 'content-type': 'application/x-amz-json-1.1', 'x-amz-target': target },
      body: JSON.stringify(parameters),
    });
    const { host: _set, ...headers } = (await signer.sign(request)).headers;
    const response = await fetch(this.url, { method: 'POST', headers, body: request.body });
    const text = await response.text();
    if (!response.ok) throw new Error(text);
    return text === '' ? {} : (JSON.parse(text) as Record<string, unknown>);
  }

  /** All that can be had of the queue now; what was had before is not among it. */
  async received(QueueUrl: string): Promise<Message[]> {
    const all: Message[] = [];
    for (;;) {
      const asked = {
        QueueUrl,
        MaxNumberOfMessages: 10,
        MessageAttributeNames: ['All'],
        MessageSystemAttributeNames: ['All' as const],
      };
      const { Messages = [] } = await this.#sqs.send(new ReceiveMessageCommand(asked));
      if (Messages.length === 0) return all;
      all.push(...Messages);
    }
  }
}

/** Of an answer in XML. */
export const tag = (text: string, name: string) => new RegExp(`<${name}>([^<]+)`).exec(text)?.[1] ?? '';

/** A user who may do everything that we do there. */
async function userOf(url: string, account: string): Promise<Keys> {
  const ask = (parameters: Record<string, string>) => iam(url, account, { UserName: 'databridge', ...parameters });
  await ask({ Action: 'CreateUser' });
  const policy = {
    Version: '2012-10-17',
    Statement: [{ Effect: 'Allow', Action: '*', Resource: '*' }],
  };
  await ask({ Action: 'PutUserPolicy', PolicyName: 'all', PolicyDocument: JSON.stringify(policy) });
  const made = await ask({ Action: 'CreateAccessKey' });
  return { accessKeyId: tag(made, 'AccessKeyId'), secretAccessKey: tag(made, 'SecretAccessKey') };
}

async function iam(url: string, account: string, parameters: Record<string, string>): Promise<string> {
  const authorization =
    'AWS4-HMAC-SHA256 Credential=setup/20200101/us-east-1/iam/aws4_request, SignedHeaders=host, Signature=0';
  const body = new URLSearchParams({ Version: '2010-05-08', ...parameters });
  const headers = { authorization, 'x-moto-account-id': account };
  const response = await fetch(url, { method: 'POST', headers, body });
  const text = await response.text();
  if (!response.ok) throw new Error(text);
  return text;
}
