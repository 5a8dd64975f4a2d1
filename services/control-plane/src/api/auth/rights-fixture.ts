/** The API over a map that replaces Kafka, with a token of each role, for the tests of rights. */
import { createLogger } from '@databridge/kernel/log';
import { generateKeySet, parseKeySet } from '@databridge/kernel/secrets/key-set';
import { SealingDesk } from '@databridge/kernel/secrets/sealing-desk';
import { Tokens } from '@databridge/kernel/secrets/tokens';
import { mapSecretsAsync } from '@databridge/schemas/subscription/secret-places';
import {
  decodeSubscription,
  encodeSubscription,
  parseSubscription,
  type Subscription,
} from '@databridge/schemas/subscription/subscription';
import type { ControlPlaneContext } from '../../context.ts';
import type { Commit } from '../../subscriptions/changes.ts';
import { createApi } from '../api.ts';
import type { Api } from '../context.ts';

export const TOKENS = {
  operator: Tokens.generate('ann', 'operator'),
  reader: Tokens.generate('bob', 'reader'),
  payloads: Tokens.generate('eve', 'reader+payloads'),
  own: Tokens.generate('acme-ci', 'customer', 'acme'),
  other: Tokens.generate('globex-ci', 'customer', 'globex'),
};
export type Who = keyof typeof TOKENS;

const key = 'k-1';
/** The subscription that the tests change. */
export const STORED = {
  customer: 'acme',
  eventTypes: ['root-cause'],
  match: { company: ['ACME'] },
  filter: 'event.statusCode == 200',
  sections: ['summary', 'intent'],
  destination: { type: 'http', url: 'https://192.0.2.7/events' },
  authentication: { type: 'api-key', name: 'x-key', key },
};
export type Body = Record<string, unknown>;

/** What the API under test stores in place of Kafka. */
export const stored = new Map<string, Subscription>();
let api: Api;

const desk = new SealingDesk(parseKeySet(generateKeySet('test').controlPlane));

/** Callers that reach this point were authorized. */
const fail = () => {
  throw new Error('there is no Kafka in this test');
};

/**
 * Everything that the API does with subscriptions, on a map in place of Kafka: committed values are encoded and
 * decoded.
 */
export async function startApi(): Promise<Api> {
  const log = createLogger('control-plane', 'silent');
  const commit: Commit = async (changes) => {
    for (const change of changes) {
      if (!('what' in change)) continue;
      const { customer, after } = change;
      if (customer === undefined || after === undefined) continue;
      if (after === null) stored.delete(customer);
      else stored.set(customer, decoded(customer, encodeSubscription(after)));
    }
  };
  const operations = {
    kafka: new Proxy({}, { get: fail }),
    admin: new Proxy(
      {},
      { get: (_, name) => async () => (name === 'ensureTopics' ? { created: [], mismatched: [] } : []) },
    ),
    producer: new Proxy({}, { get: () => fail }),
    subscriptions: async () => new Map(stored),
    commit,
    desk,
    invitations: async () => new Map(),
    invitationLink: (id: string) => id,
    retryDelays: [],
    eventTypes: ['root-cause', 'more'],
    operations: async () => new Map(),
    workers: () => [],
    egress: { urlRefusal: () => undefined, addressRefusal: () => 'is not dialed in a test' },
    log,
  } as unknown as ControlPlaneContext;
  api = await createApi({
    operations,
    attempts: { find: () => [], events: () => [], listen: fail, since: fail },
    events: { render: async () => ({ unreadable: 'not here' }), open: async () => ({ unreadable: 'not here' }) },
    intake: { eventTypes: [], schemaIdOf: fail },
    callers: new Tokens(
      Object.values(TOKENS)
        .map(({ line }) => line)
        .join('\n'),
    ),
    writer: {
      isOwner: true,
      origin: undefined,
      owner: async () => undefined,
      change: (_who, _customer, run) => run(commit),
    },
    log,
  });
  return api;
}

function decoded(customer: string, value: Buffer): Subscription {
  const parsed = decodeSubscription(customer, value);
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.issues));
  return parsed.subscription;
}

/** Sends a request to the API that {@link startApi} started. */
export async function call(
  who: Who,
  method: string,
  url: string,
  payload?: unknown,
  headers: Record<string, string> = {},
) {
  const answer = await api.inject({
    method: method as 'GET',
    url,
    headers: { authorization: `Bearer ${TOKENS[who].token}`, ...headers },
    ...(payload !== undefined && { payload: payload as object }),
  });
  return {
    status: answer.statusCode,
    etag: String(answer.headers.etag ?? ''),
    body: answer.json() as Body & { code: string },
  };
}

/** Stores the subscription again. @returns its ETag */
export async function reset(change: Body = {}): Promise<string> {
  const parsed = parseSubscription({ ...STORED, ...change });
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.issues));
  const sealed = await mapSecretsAsync(parsed.subscription, (secret, place) =>
    desk.seal(secret, { customer: 'acme', place }),
  );
  stored.clear();
  stored.set('acme', decoded('acme', encodeSubscription(sealed)));
  return (await call('operator', 'GET', '/v1/subscriptions/acme')).etag;
}

export const PATH = '/v1/subscriptions/acme';
export const { customer: _, ...SETTINGS } = STORED;

/** Changes the stored subscription, after a reset. */
export async function put(who: Who, change: Body, method = 'PUT') {
  const etag = await reset();
  const body = method === 'PUT' ? { ...SETTINGS, ...change } : change;
  return await call(who, method, PATH, body, { 'if-match': etag });
}
