/** Invitations without Kafka: who may open and answer them, and when. */
import { createLogger } from '@databridge/kernel/log';
import { generateKeySet, parseKeySet } from '@databridge/kernel/secrets/key-set';
import { Sealer } from '@databridge/kernel/secrets/sealer';
import { SealingDesk } from '@databridge/kernel/secrets/sealing-desk';
import { decodeInvitation, encodeInvitation, type Invitation } from '@databridge/schemas/records/invitations';
import { parseSubscription, type Subscription } from '@databridge/schemas/subscription/subscription';
import type { ControlPlaneContext } from '../context.ts';
import type { Written } from '../subscriptions/changes.ts';
import { answerInvitation } from './answer-invitation.ts';
import { type Asked, invite, MAX_LIFE_MS, renewInvitation, revokeInvitation } from './invite.ts';
import { MAX_WRONG_CODES, openInvitation } from './open-invitation.ts';
import { TICKET_LIFE_MS, TICKET_MOST_MS, Tickets } from './tickets.ts';

const PLACE = 'authentication.key';
const desk = new SealingDesk(parseKeySet(generateKeySet('k1').controlPlane));
const tickets = new Tickets(desk);
const by = { name: 'ann', role: 'operator' };
const asked: Asked = { customer: 'acme', places: [PLACE], lifeMs: 3_600_000 };
let stored: Map<string, Subscription>;
let invitations: Map<string, Invitation>;
/** What each transaction held. */
let commits: (readonly Written[])[];
const context = {
  desk,
  eventTypes: ['root-cause'],
  log: createLogger('test', 'silent'),
  subscriptions: async () => stored,
  invitations: async () => invitations,
  commit: async (changes: readonly Written[]) => {
    commits.push(changes);
    for (const change of changes) {
      if ('invitation' in change) {
        // As it is read from the topic.
        const read = decodeInvitation(Buffer.from(encodeInvitation(change.invitation)));
        if (read !== undefined) invitations.set(read.id, read);
      } else if ('after' in change && change.after && change.customer) stored.set(change.customer, change.after);
    }
  },
} as unknown as ControlPlaneContext;

beforeEach(async () => {
  const parsed = parseSubscription({
    customer: 'acme',
    eventTypes: ['root-cause'],
    match: 'everything',
    destination: { type: 'http', url: 'https://api.example/events' },
    authentication: { type: 'api-key', name: 'x-key', key: await desk.seal('old', { customer: 'acme', place: PLACE }) },
  });
  if (!parsed.ok) throw new Error('the subscription is valid');
  stored = new Map([['acme', parsed.subscription]]);
  invitations = new Map();
  commits = [];
});

async function sealed(secret: string, customer = 'acme', place = PLACE): Promise<string> {
  const [key] = desk.sealingKeys;
  if (key === undefined) throw new Error('the desk has a key');
  return await new Sealer(key).seal(secret, { customer, place });
}

const open = ({ linkId, code }: { linkId: string; code: string }, nowMs = 0) =>
  openInvitation(context, tickets, { linkId, code }, nowMs);
const stateOf = () => [...invitations.values()].map(({ state }) => state);

test('unknown, expired, used, revoked, locked and wrong: the same answer, after the same comparison of codes', async () => {
  const hashes: string[] = [];
  const counting = { ...context, desk: countingHashes(hashes) };
  const made = async (change: Partial<Invitation>) => {
    const { linkId, code, invitation } = await invite(context, by, asked, 0);
    invitations.set(invitation.id, { ...invitation, ...change });
    return { linkId, code };
  };
  const right = (await made({})).code;
  const cases: Record<string, { linkId: string; code: string }> = {
    unknown: { linkId: 'AAAAAAAAAAAAAAAAAAAAAA', code: right },
    expired: await made({ expiresAtMs: 0 }),
    used: await made({ state: 'used' }),
    revoked: await made({ state: 'revoked' }),
    locked: await made({ state: 'locked' }),
    wrong: { linkId: (await made({})).linkId, code: right },
    mistyped: { linkId: (await made({})).linkId, code: 'AAAA-AAAA' },
  };
  const answers = new Map<string, unknown>();
  for (const [name, given] of Object.entries(cases)) {
    hashes.length = 0;
    const refused: unknown = await openInvitation(counting, tickets, given, 0).catch((error: unknown) => error);
    const { code, message } = refused as { code: string; message: string };
    answers.set(name, { code, message, hashes: [...hashes] });
  }
  const [first] = answers.values();
  expect(first).toMatchObject({ code: 'DB_NOT_FOUND', hashes: ['compared'] });
  for (const [name, answer] of answers) expect([name, answer]).toEqual([name, first]);
});

/** The key that codes are hashed under is a map that says when it is looked into: once for each HMAC. */
function countingHashes(hashes: string[]): SealingDesk {
  class Counting extends Map<string, Uint8Array> {
    override get(kid: string): Uint8Array | undefined {
      hashes.push('compared');
      return super.get(kid);
    }
  }
  return new Proxy(desk, {
    get(target, name) {
      if (name === 'derivedKeys') return (purpose: string) => new Counting(target.derivedKeys(purpose));
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

test('what is stored contains neither the link nor the code', async () => {
  const { linkId, code, invitation } = await invite(context, by, asked, 0);
  expect(Buffer.from(linkId, 'base64url')).toHaveLength(16);
  const text = JSON.stringify([commits, encodeInvitation(invitation)]);
  for (const part of [linkId, code, code.replace('-', '')]) expect(text).not.toContain(part);
});

test('a right code opens it until it expires, and shows where the secrets go', async () => {
  const made = await invite(context, by, { ...asked, reason: 'a new key' }, 0);
  expect(await open(made)).toMatchObject({
    by: 'ann',
    reason: 'a new key',
    goesTo: ['https://api.example'],
    places: [PLACE],
  });
  await expect(open(made, asked.lifeMs)).rejects.toMatchObject({ code: 'DB_NOT_FOUND' });
});

test('five wrong codes lock it, and a mistyped one is not counted', async () => {
  const made = await invite(context, by, asked, 0);
  const others = await Promise.all(Array.from({ length: MAX_WRONG_CODES }, () => invite(context, by, asked, 0)));
  await expect(open({ ...made, code: `${made.code.slice(0, -1)}*` })).rejects.toMatchObject({ code: 'DB_NOT_FOUND' });
  for (const [index, { code }] of others.entries()) {
    expect(invitations.get(made.invitation.id)).toMatchObject({ state: 'open', failures: index });
    await expect(open({ ...made, code })).rejects.toMatchObject({ code: 'DB_NOT_FOUND' });
  }
  expect(invitations.get(made.invitation.id)).toMatchObject({ state: 'locked', failures: MAX_WRONG_CODES });
  await expect(open(made)).rejects.toMatchObject({ code: 'DB_NOT_FOUND' });
});

test('an answer is one transaction: subscription, audit and invitation; again, it gets the first receipt', async () => {
  const { ticket: text } = await open(await invite(context, by, asked, 0));
  const ticket = await tickets.read(text, 0);
  const answer = { secrets: { [PLACE]: await sealed('new') } };
  const receipt = await answerInvitation(context, ticket, answer, 5);
  expect(commits.at(-1)).toMatchObject([
    { what: 'set-secret', customer: 'acme', after: { authentication: { key: answer.secrets[PLACE] } } },
    { invitation: { state: 'used', receipt: { id: receipt.id } } },
  ]);
  const before = commits.length;
  expect(await answerInvitation(context, ticket, answer, 9)).toEqual(receipt);
  expect(commits).toHaveLength(before);
  // Another answer with the same ticket corrects it; another ticket comes too late.
  const corrected = { secrets: { [PLACE]: await sealed('newer') } };
  expect((await answerInvitation(context, ticket, corrected, 10)).id).not.toBe(receipt.id);
  const late = { ...ticket, id: 'another' };
  await expect(answerInvitation(context, late, corrected, 11)).rejects.toMatchObject({ code: 'DB_CONFLICT' });
  expect(stored.get('acme')?.fallbacks).toBeUndefined();
});

test('what is sealed for another place or customer, or is missing, is refused', async () => {
  const { ticket: text } = await open(await invite(context, by, asked, 0));
  const ticket = await tickets.read(text, 0);
  const before = commits.length;
  for (const secrets of [
    {},
    { [PLACE]: await sealed('new', 'globex') },
    { [PLACE]: await sealed('new', 'acme', 'authentication.password') },
    { [PLACE]: await sealed('new'), 'authentication.password': await sealed('x', 'acme', 'authentication.password') },
  ]) {
    await expect(answerInvitation(context, ticket, { secrets }, 0)).rejects.toMatchObject({ code: 'DB_INPUT_INVALID' });
  }
  expect(commits).toHaveLength(before);
});

test('if the destination changed since the code was entered, nothing is taken', async () => {
  const { ticket: text } = await open(await invite(context, by, asked, 0));
  const now = stored.get('acme');
  if (now?.destination.type === 'http') {
    stored.set('acme', { ...now, destination: { ...now.destination, url: 'https://other.example/' } });
  }
  const answer = { secrets: { [PLACE]: await sealed('new') } };
  const answered = answerInvitation(context, await tickets.read(text, 0), answer, 0);
  await expect(answered).rejects.toThrow(/destination was changed/);
});

test('renewed or revoked, the earlier link opens nothing, and a ticket of it answers nothing', async () => {
  const first = await invite(context, by, asked, 0);
  const { ticket: text } = await open(first);
  const second = await renewInvitation(context, by, first.invitation.id, MAX_LIFE_MS, 0);
  await expect(open(first)).rejects.toMatchObject({ code: 'DB_NOT_FOUND' });
  const answer = { secrets: { [PLACE]: await sealed('new') } };
  const answered = answerInvitation(context, await tickets.read(text, 0), answer, 0);
  await expect(answered).rejects.toMatchObject({ code: 'DB_NOT_FOUND' });
  await open(second);
  await revokeInvitation(context, second.invitation.id, 0);
  await expect(open(second)).rejects.toMatchObject({ code: 'DB_NOT_FOUND' });
  expect(stateOf()).toEqual(['revoked', 'revoked']);
});

test('tickets last a quarter of an hour, can be extended to one hour, and are not to be forged', async () => {
  const { ticket, untilMs } = await tickets.issue('invitation', '[]', 0);
  expect(untilMs).toBe(TICKET_LIFE_MS);
  const read = await tickets.read(ticket, TICKET_LIFE_MS - 1_000);
  await expect(tickets.read(ticket, TICKET_LIFE_MS + 1_000)).rejects.toMatchObject({ code: 'DB_UNAUTHENTICATED' });
  const extended = await tickets.extend(read, TICKET_MOST_MS - 1_000);
  expect(extended.untilMs).toBe(TICKET_MOST_MS);
  expect((await tickets.read(extended.ticket, TICKET_MOST_MS - 1_000)).id).toBe(read.id);
  await expect(tickets.extend(read, TICKET_MOST_MS)).rejects.toMatchObject({ code: 'DB_UNAUTHENTICATED' });
  const stranger = new Tickets(new SealingDesk(parseKeySet(generateKeySet('k1').controlPlane)));
  await expect(stranger.read(ticket, 0)).rejects.toMatchObject({ code: 'DB_UNAUTHENTICATED' });
});

test('only secrets that there are can be asked for, and a set-up only of a customer that there is not', async () => {
  const ask = (change: Partial<Asked>) => invite(context, by, { ...asked, ...change }, 0);
  await expect(ask({ places: ['authentication.password'] })).rejects.toThrow(/it has authentication.key/);
  await expect(ask({ customer: 'globex' })).rejects.toMatchObject({ code: 'DB_NOT_FOUND' });
  const grant = { eventTypes: ['root-cause'], match: { company: ['ACME'] } };
  await expect(ask({ places: undefined, grant })).rejects.toMatchObject({ code: 'DB_CONFLICT' });
  const nobodys = { ...grant, match: {} };
  await expect(ask({ customer: 'new', places: undefined, grant: nobodys })).rejects.toThrow(/match.company/);
  await ask({ customer: 'new', places: undefined, grant });
});
