/**
 * No secret leaves: one that is known is planted in every place where a subscription can contain one, everything is done
 * that can be done with it, by destinations that send back all that they are sent; then everything is searched that
 * anybody could read.
 */
import { execFileSync } from 'node:child_process';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ApiClient } from '@databridge/cli/api/api-client';
import { rotateKeys } from '@databridge/cli/commands/offline/rotate-keys';
import type { ConsumedRecord } from '@databridge/kernel/kafka/records';
import { readTopics } from '@databridge/kernel/kafka/topic-reader';
import { generateKeySet } from '@databridge/kernel/secrets/key-set';
import { Tokens } from '@databridge/kernel/secrets/tokens';
import { ATTEMPTS_TOPIC, AUDIT_TOPIC, STATUS_TOPIC, SUBSCRIPTIONS_TOPIC } from '@databridge/schemas/records/topics';
import { SECRET_PLACES, secretsInUse } from '@databridge/schemas/subscription/secret-places';
import { parseSubscription } from '@databridge/schemas/subscription/subscription';
import { rootCauseEvent } from '../harness/events.ts';
import { eventually } from '../harness/eventually.ts';
import { Receiver, type Script } from '../harness/receiver.ts';
import { type Answer, type Asked, type ControlPlane, startControlPlane } from '../harness/services/control-plane.ts';
import { Stage } from '../harness/stage.ts';
import { freshName } from '../harness/topics.ts';

let count = 0;
const planted: string[] = [];
/** Long, and unlike anything else. @param charset `base64`: for places that take nothing but it */
function canary(charset: 'text' | 'base64' = 'text'): string {
  count++;
  const value = charset === 'text' ? `canary:${count}/+%&="é`.replace('é', '~') : `canary${count}`.padEnd(40, 'Q');
  planted.push(value);
  return value;
}

function signingSecret(kind: 'whsec' | 'whsk'): string {
  const key = Buffer.from(canary('base64').slice(0, 32)).toString('base64');
  planted.push(key);
  return `${kind}_${key}`;
}

function identity(): { clientCertificate: string; clientKey: string } {
  const args = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-subj', '/CN=acme'];
  const both = execFileSync('openssl', [...args, '-keyout', '-', '-out', '-'], { stdio: ['ignore', 'pipe', 'ignore'] });
  const pem = (name: string) =>
    new RegExp(`-----BEGIN ${name}[\\s\\S]+END ${name}-----`).exec(both.toString())?.[0] ?? '';
  const clientKey = pem('PRIVATE KEY');
  planted.push(clientKey.split('\n')[1] ?? '');
  return { clientCertificate: pem('CERTIFICATE'), clientKey };
}

const operator = Tokens.generate('ann', 'operator');
const [oldKeys, newKeys] = [generateKeySet('old'), generateKeySet('new')];
const openingKeys = `${newKeys.delivery},${oldKeys.delivery}`;
/** All that is not public: opening and sharing keys. */
const PRIVATE_KEYS = [oldKeys, newKeys].flatMap(({ delivery, controlPlane }) =>
  [delivery, ...controlPlane.split('\n')]
    .filter((line) => !line.includes(':sealing:'))
    .map((line) => line.split(':')[2] ?? ''),
);
planted.push(operator.token, ...PRIVATE_KEYS);

/** Sends back all that it was sent. */
const echo =
  (status: number): Script =>
  ({ headers, url, body }) => ({ status, body: JSON.stringify({ headers, url, body }) });

let stage: Stage;
let plane: ControlPlane;
const answers: unknown[] = [];

beforeAll(async () => {
  stage = await Stage.start({ delivery: { DATABRIDGE_KEYS: openingKeys, LOG_LEVEL: 'debug' } });
  plane = await startControlPlane([operator], { DATABRIDGE_KEYS: oldKeys.controlPlane, LOG_LEVEL: 'debug' });
});

async function call(method: string, path: string, asked?: Asked): Promise<Answer> {
  const answer = await plane.call(method, path, asked);
  answers.push(answer.status, [...answer.headers], answer.body);
  return answer;
}

/** Every form in which a secret is easily read back. */
function formsOf(secret: string): string[] {
  const bytes = Buffer.from(secret);
  const inForm = new URLSearchParams({ s: secret }).toString().slice(2);
  const basic = [secret, inForm].map((text) => Buffer.from(`acme:${text}`));
  const forms = [secret, encodeURIComponent(secret), inForm];
  forms.push(bytes.toString('hex'), JSON.stringify(secret).slice(1, -1));
  for (const encoded of [bytes, ...basic]) {
    // As a part of something longer, its last group may be another.
    forms.push(encoded.toString('base64').replace(/.{0,3}=*$/, ''), encoded.toString('base64url').slice(0, -3));
  }
  return [...new Set(forms)].filter((form) => form.length > 8);
}

const found = (text: string) => planted.filter((secret) => formsOf(secret).some((form) => text.includes(form)));

test('after all operations with secrets, none is readable anywhere', async () => {
  const receivers = await Promise.all(Array.from({ length: 4 }, () => Receiver.start(echo(200))));
  const tokens = await Receiver.start(echo(401));
  const [basic, keyed, oauth, aws] = receivers as [Receiver, Receiver, Receiver, Receiver];
  const bodies: Record<string, Record<string, unknown>> = {
    basic: {
      destination: { type: 'http', url: basic.url },
      authentication: { type: 'basic', username: 'acme', password: canary() },
      tls: identity(),
    },
    keyed: {
      destination: { type: 'http', url: keyed.url, gzip: true },
      authentication: { type: 'api-key', name: 'x-key', key: canary() },
      signing: { secrets: [signingSecret('whsec'), signingSecret('whsk')] },
    },
    oauth: {
      destination: { type: 'http', url: oauth.url },
      authentication: {
        ...{ type: 'oauth', tokenUrl: tokens.url, clientId: 'acme', clientSecret: canary() },
        headers: { 'x-tenant': { secret: canary() } },
        query: { tenant: { secret: canary() } },
        body: { tenant: { secret: canary() } },
      },
    },
    signed: {
      destination: { type: 'http', url: oauth.url },
      authentication: {
        ...{ type: 'oauth', tokenUrl: tokens.url, clientId: 'acme', clientAuthentication: 'private-key-jwt' },
        clientKey: identity().clientKey,
      },
    },
    aws: {
      destination: {
        type: 'sqs',
        queueUrl: `${aws.url.replace('/events', '')}/123456789012/events`,
        region: 'eu-west-1',
      },
      authentication: { type: 'aws', accessKeyId: 'AKIAIOSFODNN7EXAMPLE', secretAccessKey: canary('base64') },
    },
  };
  const names = Object.keys(bodies).map((kind) => [kind, freshName(kind)] as const);
  const places = new Set<string>();
  for (const [kind, customer] of names) {
    const body = { eventTypes: ['root-cause'], match: { company: [customer] }, ...bodies[kind] };
    const path = `/subscriptions/${customer}`;
    expect(await call('PUT', path, { body })).toMatchObject({ status: 201 });
    const parsed = parseSubscription({ customer, ...body });
    if (parsed.ok) for (const place of secretsInUse(parsed.subscription).keys()) places.add(place);
    // Wrong in every way at once, each secret too: as mistakes are told, nothing may be quoted.
    const wrong = JSON.stringify(body).replaceAll(/"(canary|whsec_|whsk_|-----BEGIN)/g, '"\\u0007\\n$1');
    const etag = (await call('GET', path)).headers.get('etag') ?? '';
    await call('PUT', path, {
      body: { ...JSON.parse(wrong), customer: 7, maxInFlight: 'x' },
      headers: { 'if-match': etag },
    });
    await call('PUT', path, { body: { ...body, signing: { secrets: planted } } });
    await call('POST', `${path}/comparisons`, { body });
  }
  // Whoever adds a place for a secret plants one here.
  for (const place of SECRET_PLACES.filter((one) => !one.startsWith('fallbacks'))) {
    const pattern = new RegExp(`^${place.replaceAll('.', '\\.').replaceAll('*', '.+')}$`);
    expect([place, [...places].some((one) => pattern.test(one))]).toEqual([place, true]);
  }

  const seen = (receiver: Receiver, many: number) => receiver.waitFor(({ requests }) => requests.length >= many);
  const produceAll = () => stage.upstream.produce(names.map(([, customer]) => rootCauseEvent({ company: customer })));
  await stage.fanOutKnowsAll();
  await produceAll();
  await Promise.all([...[basic, keyed, aws].map((receiver) => seen(receiver, 1)), seen(tokens, 1)]);

  // What was really sent could have come back: the search finds it there.
  const sent = JSON.stringify([...receivers, tokens].map(({ requests }) => requests));
  expect(found(sent).length).toBeGreaterThanOrEqual(6);

  for (const status of [503, 400, 401]) {
    for (const receiver of receivers) receiver.script = echo(status);
    for (const [, customer] of names.filter(([kind]) => kind !== 'oauth')) {
      await call('POST', `/subscriptions/${customer}/test`);
    }
  }
  tokens.script = () => ({
    body: JSON.stringify({ access_token: canaryToken, token_type: 'Bearer', expires_in: 600 }),
  });
  for (const receiver of receivers) receiver.script = echo(400);
  await produceAll();
  await seen(oauth, 1);

  const setAnew: Record<string, string> = {
    'authentication.password': canary(),
    'authentication.key': canary(),
    'authentication.clientSecret': canary(),
    'authentication.secretAccessKey': canary('base64'),
    'signing.secrets.0': signingSecret('whsec'),
  };
  for (const [, customer] of names) {
    const path = `/subscriptions/${customer}`;
    const { body } = await call('GET', `${path}/secrets`);
    for (const { name } of body.items) {
      const value = setAnew[name] ?? canary();
      await call('PUT', `${path}/secrets/${name}`, { body: { value } });
      await call('PUT', `${path}/secrets/${name}`, { body: { value: `\u0007${value}`, overlap: '1y' } });
    }
    await call('PUT', `${path}/secrets/nowhere`, { body: { value: canary() } });
  }
  await produceAll();
  for (const [, customer] of names) {
    const path = `/subscriptions/${customer}`;
    await call('POST', `${path}/test`);
    await eventually(
      async () => (await call('GET', `${path}/attempts`)).body.items.length,
      (many) => many > 0,
    );
    for (const place of ['', '/status', '/secrets', '/reconciliation', '/dead-letters'])
      await call('GET', path + place);
    for (const { id } of (await call('GET', `${path}/dead-letters`)).body.items) {
      await call('GET', `${path}/dead-letters/${encodeURIComponent(id)}`);
    }
    await call('POST', `${path}/redeliveries`, { body: {} });
  }
  await call('GET', '/subscriptions');
  await call('GET', '/audit?limit=1000');
  await call('GET', '/openapi.json');
  await plane.service.stop();
  const before = plane.service;
  plane = await startControlPlane([operator], {
    DATABRIDGE_KEYS: `${newKeys.controlPlane},${oldKeys.controlPlane}`,
    LOG_LEVEL: 'debug',
  });
  const keysFile = join(await mkdtemp(join(tmpdir(), 'keys-')), 'delivery.keys');
  await writeFile(keysFile, openingKeys);
  const rotated = await rotateKeys(
    new ApiClient({ url: plane.url.replace(/\/v1$/, ''), token: operator.token }),
    keysFile,
  );
  expect(rotated).toMatchObject({ failed: [] });
  answers.push(rotated);
  for (const [, customer] of names.slice(0, 1)) {
    const etag = (await call('GET', `/subscriptions/${customer}`)).headers.get('etag') ?? '';
    await call('DELETE', `/subscriptions/${customer}?waiting=keep`, { headers: { 'if-match': etag } });
  }

  const services = [stage.fanOut, stage.delivery, plane.service, before];
  const readable: [string, string][] = [['answers', JSON.stringify(answers)]];
  for (const { name, logs, otherOutput } of services)
    readable.push([`log of ${name}`, JSON.stringify([logs, otherOutput])]);
  for (const service of services.slice(0, 3)) readable.push([`metrics of ${service.name}`, await service.metrics()]);
  readable.push(...(await bytesByTopic()));
  expect(readable.map(([where]) => where)).toEqual(
    expect.arrayContaining([SUBSCRIPTIONS_TOPIC, AUDIT_TOPIC, ATTEMPTS_TOPIC, STATUS_TOPIC]),
  );
  expect(readable.flatMap(([where, text]) => found(text).map((secret) => `${where}: ${secret}`))).toEqual([]);
}, 600_000);

const canaryToken = canary('base64');

/** Of every record of every topic: key, value, headers. */
async function bytesByTopic(): Promise<Map<string, string>> {
  const texts = new Map<string, string>();
  const show = ({ key, value, headers }: ConsumedRecord) =>
    [key, value, ...Object.values(headers).flat()].map((bytes) => bytes?.toString() ?? '').join('\n');
  const topics = (await stage.admin.listTopics()).filter((topic) => !topic.startsWith('__'));
  await readTopics(stage.operations.kafka, topics, {
    onBatch({ topic, records }) {
      texts.set(topic, `${texts.get(topic) ?? ''}\n${records.map(show).join('\n')}`);
    },
  });
  return texts;
}
