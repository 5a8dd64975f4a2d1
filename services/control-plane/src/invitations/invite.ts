/** Invitations, as operators create and end them. */
import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { DatabridgeError } from '@databridge/kernel/errors';
import type { SealingDesk } from '@databridge/kernel/secrets/sealing-desk';
import { makeInvitationCode } from '@databridge/schemas/records/invitation-code';
import type { Invitation } from '@databridge/schemas/records/invitations';
import { secretsInUse } from '@databridge/schemas/subscription/secret-places';
import { parseSubscription, type Subscription } from '@databridge/schemas/subscription/subscription';
import type { ControlPlaneContext } from '../context.ts';
import { eventTypeIssues } from '../subscriptions/checks/event-types.ts';
import { RefusedFields } from '../subscriptions/checks/refused-fields.ts';
import { CLIENT_KEY } from '../subscriptions/client-certificate.ts';
import { withoutKeyPair } from './unused-key-pairs.ts';

export const DEFAULT_LIFE_MS = 72 * 3_600_000;
export const MAX_LIFE_MS = 7 * 24 * 3_600_000;
const ID_BYTES = 16;
/** The length of a SHA-256. */
const MAC_BYTES = 32;
const CODES = 'databridge invitation codes';

export interface Asked {
  readonly customer: string;
  /** If omitted, the invitation sets up the customer, with the settings of the grant. */
  readonly places?: readonly string[] | undefined;
  readonly grant?: Invitation['grant'];
  readonly hosts?: readonly string[] | undefined;
  readonly reason?: string | undefined;
  readonly lifeMs: number;
}

/** Shown once: the link's id and the code, which are sent by different channels. */
export interface Invited {
  readonly invitation: Invitation;
  /** 128 bits, base64url. */
  readonly linkId: string;
  readonly code: string;
}

type Context = Pick<ControlPlaneContext, 'subscriptions' | 'invitations' | 'desk' | 'commit' | 'eventTypes' | 'kafka'>;

export const hashOfLink = (linkId: string) => createHash('sha256').update(linkId).digest('base64url');

/** @throws {DatabridgeError} DB_NOT_FOUND, DB_CONFLICT, DB_INPUT_INVALID */
export async function invite(context: Context, by: Invitation['by'], asked: Asked, nowMs: number): Promise<Invited> {
  await refuseUnlessPossible(context, asked);
  const invited = await made(context.desk, { ...asked, by }, nowMs);
  const { customer, kind, places, hosts, expiresAtMs, id } = invited.invitation;
  const detail = { invitation: id, kind, places, hosts, expiresAtMs };
  await context.commit([{ what: 'invite', customer, detail }, { invitation: invited.invitation }]);
  return invited;
}

/**
 * Makes a new link; the earlier one is invalid from now on.
 * @throws {DatabridgeError} DB_NOT_FOUND, DB_CONFLICT if it was used
 */
export async function renewInvitation(
  context: Context,
  by: Invitation['by'],
  id: string,
  lifeMs: number,
  nowMs: number,
): Promise<Invited> {
  const before = await storedInvitation(context, id);
  if (before.state === 'used') throw new DatabridgeError('DB_CONFLICT', 'This invitation was answered: make a new one');
  const { customer, kind, places, grant, hosts, reason } = before;
  const asked = { customer, places: kind === 'secrets' ? places : undefined, grant, hosts, reason, lifeMs };
  await refuseUnlessPossible(context, asked);
  const invited = await made(context.desk, { ...asked, by }, nowMs);
  await context.commit([
    { what: 'renew-invitation', customer, detail: { invitation: id, renewed: invited.invitation.id } },
    { invitation: { ...before, state: 'revoked', changedAtMs: nowMs } },
    { invitation: invited.invitation },
    ...(await withoutKeyPair(context, before)),
  ]);
  return invited;
}

/**
 * Its link becomes invalid. A key pair that was made with it, and is not used, is removed.
 * @throws {DatabridgeError} DB_NOT_FOUND, DB_CONFLICT if it was used
 */
export async function revokeInvitation(context: Context, id: string, nowMs: number): Promise<Invitation> {
  const before = await storedInvitation(context, id);
  if (before.state === 'used')
    throw new DatabridgeError(
      'DB_CONFLICT',
      'This invitation was answered already; create a new one to have secrets entered again',
    );
  if (before.state === 'revoked') return before;
  const after = { ...before, state: 'revoked' as const, changedAtMs: nowMs };
  const detail = { invitation: id };
  await context.commit([
    { what: 'revoke-invitation', customer: before.customer, detail },
    { invitation: after },
    ...(await withoutKeyPair(context, before)),
  ]);
  return after;
}

/** In constant time. */
export function isCode(desk: SealingDesk, { id, code }: Pick<Invitation, 'id' | 'code'>, typed: string): boolean {
  const expected = Buffer.from(code.mac);
  const given = Buffer.from(macOf(desk.derivedKeys(CODES).get(code.kid) ?? randomBytes(32), id, typed));
  return expected.length === given.length && timingSafeEqual(expected, given);
}

/** A code for an unknown link is compared with this, which equals no code. */
export function nothingBehind(desk: SealingDesk, id: string): Pick<Invitation, 'id' | 'code'> {
  const [kid = ''] = desk.derivedKeys(CODES).keys();
  return { id, code: { kid, mac: randomBytes(MAC_BYTES).toString('base64url') } };
}

async function storedInvitation(context: Pick<Context, 'invitations'>, id: string): Promise<Invitation> {
  const found = (await context.invitations()).get(id);
  if (found === undefined) throw new DatabridgeError('DB_NOT_FOUND', `There is no invitation "${id}"`);
  return found;
}

async function made(desk: SealingDesk, asked: Asked & Pick<Invitation, 'by'>, nowMs: number): Promise<Invited> {
  const linkId = randomBytes(ID_BYTES).toString('base64url');
  const code = makeInvitationCode(randomBytes(8));
  const id = hashOfLink(linkId);
  const [[kid, key] = ['', randomBytes(32)]] = desk.derivedKeys(CODES);
  const { customer, places, grant, hosts, reason, by, lifeMs } = asked;
  const invitation: Invitation = {
    ...{ id, customer, kind: places === undefined ? 'setup' : 'secrets', places: [...(places ?? [])] },
    ...(grant !== undefined && { grant }),
    ...(hosts !== undefined && { hosts: [...hosts] }),
    ...(reason !== undefined && { reason }),
    ...{ by, createdAtMs: nowMs, expiresAtMs: nowMs + lifeMs, failures: 0, state: 'open', changedAtMs: nowMs },
    code: { kid, mac: macOf(key, id, code.replace('-', '')) },
  };
  return { invitation, linkId, code };
}

const macOf = (key: Uint8Array, id: string, code: string) =>
  createHmac('sha256', key)
    .update(JSON.stringify([id, code]))
    .digest('base64url');

async function refuseUnlessPossible(
  context: Pick<Context, 'subscriptions' | 'eventTypes'>,
  asked: Asked,
): Promise<void> {
  const { customer, places, grant } = asked;
  const stored = (await context.subscriptions()).get(customer);
  if (places === undefined) {
    if (stored !== undefined) {
      throw new DatabridgeError(
        'DB_CONFLICT',
        `Customer "${customer}" is set up already; name the secrets to be entered, such as --secret authentication.password`,
      );
    }
    refuseInvalidGrant(customer, grant, context.eventTypes);
    return;
  }
  if (stored === undefined) throw new DatabridgeError('DB_NOT_FOUND', `There is no customer "${customer}"`);
  // A client certificate may be the first: a worker makes its key, which is stored with the certificate.
  const byRequest = takesCertificate(stored) ? [CLIENT_KEY] : [];
  const known = [...new Set([...secretsInUse(stored).keys(), ...byRequest])].sort();
  const unknown = places.filter((place) => !known.includes(place));
  if (unknown.length > 0) {
    throw new DatabridgeError(
      'DB_INPUT_INVALID',
      `Customer "${customer}" has no secret "${unknown.join('", "')}"; it has ${known.join(', ') || 'none'}`,
    );
  }
}

const takesCertificate = ({ destination }: Subscription) =>
  'url' in destination && new URL(destination.url).protocol === 'https:';

/** The operator's settings are checked now, not when the customer answers. @throws {RefusedFields} DB_INPUT_INVALID */
function refuseInvalidGrant(customer: string, grant: Invitation['grant'], eventTypes: readonly string[]): void {
  const parsed = parseSubscription({ customer, ...grant, destination: { type: 'http', url: 'https://example.com/' } });
  const issues = parsed.ok ? eventTypeIssues(parsed.subscription, eventTypes) : parsed.issues;
  if (issues.length === 0) return;
  const inBody = issues.map(({ path, message }) => ({ path: ['setup', ...path], message }));
  throw new RefusedFields('DB_INPUT_INVALID', inBody);
}
