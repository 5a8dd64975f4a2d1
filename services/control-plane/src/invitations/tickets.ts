/**
 * Tickets, which a right code returns and which are valid for a quarter of an hour. They are signed and not stored, so
 * that any control plane can read them; the writer decides whether the invitation is still valid.
 */
import { randomUUID } from 'node:crypto';
import { DatabridgeError } from '@databridge/kernel/errors';
import type { SealingDesk } from '@databridge/kernel/secrets/sealing-desk';
import { jwtVerify, SignJWT } from 'jose';
import { z } from 'zod';

export const TICKET_LIFE_MS = 15 * 60_000;
/** The limit including all extensions. */
export const TICKET_MOST_MS = 60 * 60_000;
const TYPE = 'databridge-ticket+jwt';
const PURPOSE = 'databridge invitation tickets';

const claims = z.object({ sub: z.string(), jti: z.string(), since: z.number(), sees: z.string(), exp: z.number() });

export interface Ticket {
  /** Stays the same when the ticket is extended. */
  readonly id: string;
  /** The id of the invitation. */
  readonly invitation: string;
  /** When the code was entered, in ms since the epoch. */
  readonly sinceMs: number;
  /** The addresses where the secrets are used, as the page showed them. */
  readonly sees: string;
}

export interface IssuedTicket {
  readonly ticket: string;
  readonly untilMs: number;
}

export class Tickets {
  readonly #keys: ReadonlyMap<string, Uint8Array>;

  constructor(desk: Pick<SealingDesk, 'derivedKeys'>) {
    this.#keys = desk.derivedKeys(PURPOSE);
  }

  async issue(invitation: string, sees: string, nowMs: number): Promise<IssuedTicket> {
    return await this.#sign({ id: randomUUID(), invitation, sinceMs: nowMs, sees }, nowMs);
  }

  /** @throws {DatabridgeError} DB_UNAUTHENTICATED if it cannot be extended any further */
  async extend(ticket: Ticket, nowMs: number): Promise<IssuedTicket> {
    if (nowMs >= ticket.sinceMs + TICKET_MOST_MS) throw ended();
    return await this.#sign(ticket, nowMs);
  }

  /** @throws {DatabridgeError} DB_UNAUTHENTICATED */
  async read(text: string, nowMs: number): Promise<Ticket> {
    try {
      const { payload } = await jwtVerify(text, ({ kid }) => this.#key(kid), {
        ...{ algorithms: ['HS256'], typ: TYPE, currentDate: new Date(nowMs) },
      });
      const { sub, jti, since, sees } = claims.parse(payload);
      return { id: jti, invitation: sub, sinceMs: since, sees };
    } catch {
      throw ended();
    }
  }

  async #sign({ id, invitation, sinceMs, sees }: Ticket, nowMs: number): Promise<IssuedTicket> {
    const [kid = ''] = this.#keys.keys();
    const untilMs = Math.min(nowMs + TICKET_LIFE_MS, sinceMs + TICKET_MOST_MS);
    const ticket = await new SignJWT({ since: sinceMs, sees })
      .setProtectedHeader({ alg: 'HS256', typ: TYPE, kid })
      .setSubject(invitation)
      .setJti(id)
      .setExpirationTime(Math.ceil(untilMs / 1_000))
      .sign(this.#key(kid));
    return { ticket, untilMs };
  }

  #key(kid: string | undefined): Uint8Array {
    const key = this.#keys.get(String(kid));
    if (key === undefined) throw ended();
    return key;
  }
}

const ended = () => new DatabridgeError('DB_UNAUTHENTICATED', 'The time to answer is over: enter the code again');
