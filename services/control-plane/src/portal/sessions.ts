import { createHash, randomBytes } from 'node:crypto';
import type { Person } from '@databridge/kernel/secrets/tokens';
import type { SessionRecord } from '@databridge/schemas/records/sessions';
import type { SessionStore } from './session-store.ts';

/** A working day: after that, one signs in again. */
export const SESSION_MS = 10 * 3_600_000;
const LINK_MS = 10 * 60_000;
/**
 * The limit of sessions of one caller. Above it, the oldest ends: a script that signs in repeatedly must not fill the
 * topic.
 */
export const MAX_SESSIONS_PER_CALLER = 20;
const SECRET_BYTES = 32;
/** Distinguishes a link from a token: a link is valid for one session only. */
export const LINK_PREFIX = 'dbl_';

export interface Begun {
  /** The value of the cookie or the link; it is not stored. */
  readonly secret: string;
  readonly id: string;
  readonly expiresAtMs: number;
}

export interface ListedSession extends SessionRecord {
  readonly id: string;
}

/** The callers by the ids of their tokens, as configured at present. */
export type CallerById = (id: string) => Person | undefined;

/**
 * Sessions of the portal. A cookie contains 256 random bits, and the topic their digest. A session ends by its own time, by
 * signing out, by an operator, and when the token that it was begun with is no longer configured.
 */
export class Sessions {
  readonly #store: SessionStore;
  readonly #callerById: CallerById;

  constructor(store: SessionStore, callerById: CallerById) {
    this.#store = store;
    this.#callerById = callerById;
  }

  async begin(caller: Person, by: SessionRecord['by'], nowMs: number): Promise<Begun> {
    await this.#endOldest(caller);
    return await this.#write('session', caller, by, nowMs, SESSION_MS);
  }

  async link(caller: Person, by: SessionRecord['by'], nowMs: number): Promise<Begun> {
    await this.#endOldest(caller);
    return await this.#write('link', caller, by, nowMs, LINK_MS);
  }

  /** @returns the caller of the session; undefined if it is not known, or has ended */
  async find(secret: string, nowMs: number): Promise<ListedSession | undefined> {
    const id = idOf(secret);
    // Another control plane may have begun it a moment ago.
    if (this.#store.get(id) === undefined) await this.#store.refreshed();
    return this.#current(id, nowMs);
  }

  /** Uses up a link. @returns its caller; undefined if it is not known, used or expired */
  async redeem(secret: string, nowMs: number): Promise<ListedSession | undefined> {
    const id = idOf(secret);
    await this.#store.refreshed();
    const found = this.#current(id, nowMs);
    if (found?.kind !== 'link') return undefined;
    await this.#store.write(id, undefined);
    return found;
  }

  /** The sessions that have not ended, the newest first. */
  async list(nowMs: number): Promise<ListedSession[]> {
    await this.#store.refreshed();
    return [...this.#store.entries()]
      .flatMap(([id]) => this.#current(id, nowMs) ?? [])
      .filter(({ kind }) => kind === 'session')
      .sort((a, b) => b.createdAtMs - a.createdAtMs);
  }

  async end(id: string): Promise<void> {
    await this.#store.write(id, undefined);
  }

  /** Removes expired sessions. @returns how many were removed */
  async forgetOld(nowMs: number): Promise<number> {
    const old = [...this.#store.entries()].filter(([, { expiresAtMs }]) => expiresAtMs < nowMs).map(([id]) => id);
    for (const id of old) await this.#store.write(id, undefined);
    return old.length;
  }

  #current(id: string, nowMs: number): ListedSession | undefined {
    const record = this.#store.get(id);
    if (record === undefined || record.expiresAtMs <= nowMs) return undefined;
    if (record.by === 'oidc') return { ...record, id };
    // With the present rights, and none if the token was withdrawn.
    const caller = this.#callerById(record.caller.id);
    return caller === undefined ? undefined : { ...record, id, caller };
  }

  async #write(
    kind: SessionRecord['kind'],
    caller: Person,
    by: SessionRecord['by'],
    nowMs: number,
    goodForMs: number,
  ): Promise<Begun> {
    const secret = `${kind === 'link' ? LINK_PREFIX : ''}${randomBytes(SECRET_BYTES).toString('base64url')}`;
    const id = idOf(secret);
    const expiresAtMs = nowMs + goodForMs;
    await this.#store.write(id, { kind, by, caller, createdAtMs: nowMs, expiresAtMs });
    return { secret, id, expiresAtMs };
  }

  async #endOldest(caller: Person): Promise<void> {
    const own = [...this.#store.entries()].filter(([, one]) => one.caller.id === caller.id);
    const [oldest] = own.toSorted(([, a], [, b]) => a.createdAtMs - b.createdAtMs);
    if (own.length >= MAX_SESSIONS_PER_CALLER && oldest !== undefined) await this.#store.write(oldest[0], undefined);
  }
}

const idOf = (secret: string) => createHash('sha256').update(secret).digest('base64url');
