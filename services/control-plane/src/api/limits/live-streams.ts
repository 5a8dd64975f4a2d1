import type { IncomingMessage } from 'node:http';
import { PassThrough } from 'node:stream';
import { DatabridgeError } from '@databridge/kernel/errors';
import type { Caller } from '@databridge/kernel/secrets/tokens';
import { systemClock } from '@databridge/kernel/time/clock';
import { every } from '@databridge/kernel/time/every';
import type { FastifyReply } from 'fastify';
import type { AttemptView, SeenAttempt } from '../../views/attempts/attempt-view.ts';
import { mayReadPayloads, tenantOf } from '../auth/access.ts';
import { listedTo } from '../shown-attempt.ts';

export interface StreamLimits {
  readonly maxStreams: number;
  readonly maxStreamsPerTenant: number;
}

/** A reader that is further behind is disconnected: it then starts again from the list of attempts. */
const MAX_BUFFERED_BYTES = 262_144;
/** Proxies close a connection on which nothing is sent for a minute. */
const HEARTBEAT_MS = 15_000;
/** Clients reconnect by themselves, and are authenticated again: a token that was withdrawn cannot listen forever. */
const MAX_STREAM_MS = 3_600_000;

/** The greatest number of attempts that are sent again to a client that reconnects. */
const MAX_MISSED = 1_000;

/** The attempts that a stream shows. */
export interface Followed {
  isWanted(seen: SeenAttempt): boolean;
  /**
   * For a client that reconnects: the last attempt that it received, and the customer that it follows; if omitted, all
   * customers.
   */
  readonly missed?: { readonly after: string; readonly customer?: string | undefined } | undefined;
}

interface LiveStream {
  readonly caller: Caller | undefined;
  isWanted(seen: SeenAttempt): boolean;
  write(text: string): void;
  end(): void;
}

/**
 * Attempts as server-sent events. The number of streams is limited, for each tenant and in total, and so is the memory
 * of each.
 */
export class LiveStreams {
  readonly #limits: StreamLimits;
  readonly #open = new Set<LiveStream>();
  readonly #openByTenant = new Map<string, number>();
  readonly #attempts: Pick<AttemptView, 'listen' | 'since'>;
  /** While a stream is open. */
  #stopListening: (() => void) | undefined;

  constructor(attempts: Pick<AttemptView, 'listen' | 'since'>, limits: StreamLimits) {
    this.#attempts = attempts;
    this.#limits = limits;
  }

  /**
   * @throws {DatabridgeError} DB_RATE_LIMITED if the tenant has as many streams as it may; DB_BUSY if all tenants
   *   together have
   */
  open(
    caller: Caller | undefined,
    raw: IncomingMessage,
    reply: FastifyReply,
    { isWanted, missed }: Followed,
  ): FastifyReply {
    const tenant = tenantOf(caller);
    const { maxStreams, maxStreamsPerTenant } = this.#limits;
    const open = this.#openByTenant.get(tenant) ?? 0;
    if (open >= maxStreamsPerTenant) {
      throw new DatabridgeError(
        'DB_RATE_LIMITED',
        `${open} live streams of this tenant are open, which is the limit; close one, or follow all customers with one stream`,
      );
    }
    if (this.#open.size >= maxStreams) {
      throw new DatabridgeError('DB_BUSY', `${maxStreams} live streams are open, which is the limit; try again later`);
    }
    this.#stopListening ??= this.#attempts.listen((seen) => this.#send(seen));
    const body = new PassThrough();
    const stream: LiveStream = {
      caller,
      isWanted,
      write(text) {
        if (body.writableLength > MAX_BUFFERED_BYTES) body.destroy();
        else body.write(text);
      },
      end: () => body.end(),
    };
    stream.write(': open\n\n');
    // In the same turn as the registration below, so that no attempt is missed.
    if (missed !== undefined) this.#sendMissed(stream, missed);
    const heartbeat = every(HEARTBEAT_MS, () => stream.write(': still here\n\n'));
    const lifeEnd = systemClock.after(MAX_STREAM_MS, () => body.end());
    this.#open.add(stream);
    this.#openByTenant.set(tenant, open + 1);
    const close = () => {
      heartbeat.cancel();
      lifeEnd.cancel();
      if (this.#open.delete(stream)) this.#countDown(tenant);
      body.destroy();
    };
    raw.once('close', close);
    body.once('close', close);
    return reply.header('content-type', 'text/event-stream').header('cache-control', 'no-store').send(body);
  }

  /** Ends all streams: an open one would prevent the control plane from stopping. */
  close(): void {
    for (const stream of this.#open) stream.end();
  }

  #send(seen: SeenAttempt): void {
    // The same text for all readers with the same rights.
    const texts = new Map<string, string>();
    for (const stream of this.#open) {
      if (!stream.isWanted(seen)) continue;
      const rights = `${stream.caller?.role} ${mayReadPayloads(stream.caller)}`;
      const text = texts.get(rights) ?? sseOf(seen, stream.caller);
      texts.set(rights, text);
      stream.write(text);
    }
  }

  #sendMissed(stream: LiveStream, { after, customer }: NonNullable<Followed['missed']>): void {
    const limits = { limit: MAX_MISSED, ...(customer !== undefined && { customer }) };
    const { attempts, isWhole } = this.#attempts.since(after, limits);
    if (!isWhole) stream.write(`event: gap\ndata: ${JSON.stringify({ detail: GAP })}\n\n`);
    else for (const seen of attempts) if (stream.isWanted(seen)) stream.write(sseOf(seen, stream.caller));
  }

  #countDown(tenant: string): void {
    const left = (this.#openByTenant.get(tenant) ?? 1) - 1;
    if (left === 0) this.#openByTenant.delete(tenant);
    else this.#openByTenant.set(tenant, left);
    if (this.#open.size > 0) return;
    this.#stopListening?.();
    this.#stopListening = undefined;
  }
}

const GAP = `Attempts were made since that cannot be sent again, or more than ${MAX_MISSED}: read the list of attempts`;

const sseOf = (seen: SeenAttempt, caller: Caller | undefined) =>
  `id: ${seen.place}\nevent: attempt\ndata: ${JSON.stringify({ customer: seen.customer, ...listedTo(caller, seen) })}\n\n`;
