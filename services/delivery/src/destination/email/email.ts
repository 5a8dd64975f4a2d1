import type { Socket } from 'node:net';
import { systemClock } from '@databridge/kernel/time/clock';
import type { SmtpMails } from '@databridge/schemas/destination/kind';
import type { Outcome } from '@databridge/schemas/destination/outcome';
import { outcomeOfTrouble } from '../../attempt/outcome.ts';
import type { TlsIdentity } from '../../egress/dispatcher.ts';
import type { TimeLimits } from '../../egress/exchange.ts';
import { troubleOf } from '../../egress/trouble.ts';
import type { Destination, Message, Sent } from '../destination.ts';
import type { Redaction } from '../redaction.ts';
import { UnderWay } from '../under-way.ts';
import { type SmtpFailure, smtpOutcome } from './smtp-outcome.ts';

export interface EmailOptions {
  readonly mails: SmtpMails;
  readonly limits: TimeLimits;
  readonly tls: TlsIdentity;
  readonly login?: { readonly user: string; readonly pass: string };
  readonly redaction: Redaction;
  /** Opens a TCP connection to the mail server, as far as the egress policy allows. */
  readonly dial: (timeoutMs: number) => Promise<Socket>;
}

const MAX_REASON_CHARS = 500;

/** Sends each notice as a mail, over a connection of its own, because notices are rare. */
export class EmailDestination implements Destination {
  readonly #options: EmailOptions;
  readonly #underWay = new UnderWay();
  readonly #sockets = new Set<Socket>();
  #isAborted = false;

  constructor(options: EmailOptions) {
    this.#options = options;
  }

  send(message: Message, _nowMs: number, mayStart?: () => boolean): Promise<Sent | undefined> {
    return this.#underWay.track(this.#send(message, mayStart));
  }

  async close(): Promise<void> {
    await this.#underWay.ended();
  }

  async abort(): Promise<void> {
    this.#isAborted = true;
    for (const socket of this.#sockets) socket.destroy();
    await this.#underWay.ended();
  }

  async #send(message: Message, mayStart: (() => boolean) | undefined): Promise<Sent | undefined> {
    const { mails, limits, dial } = this.#options;
    const mail = mails.mail(message);
    // Loaded with the first mail: it takes a tenth of a worker's start, and few customers want mails.
    const mailer = await import('nodemailer');
    let socket: Socket;
    try {
      socket = await dial(limits.connectTimeoutMs);
    } catch (error) {
      return this.#isAborted ? undefined : { outcome: outcomeOfTrouble(troubleOf(error as Error)) };
    }
    this.#sockets.add(socket);
    try {
      if (this.#isAborted || mayStart?.() === false) return undefined;
      return await this.#overSocket(mailer, socket, mail);
    } finally {
      this.#sockets.delete(socket);
      socket.destroy();
    }
  }

  async #overSocket(
    { createTransport }: typeof import('nodemailer'),
    socket: Socket,
    mail: ReturnType<SmtpMails['mail']>,
  ): Promise<Sent | undefined> {
    const { mails, limits, tls, login } = this.#options;
    const { host, port, encryption } = mails;
    const transport = createTransport({
      ...{ host, port, secure: encryption === 'tls', requireTLS: encryption === 'starttls' },
      ignoreTLS: encryption === 'none',
      ...(login && { auth: { ...login } }),
      tls: { servername: host, ...tls },
      ...{ greetingTimeout: limits.headersTimeoutMs, socketTimeout: limits.timeoutMs },
      // Only our own egress opens connections.
      getSocket: (_options: unknown, done: (error: Error | null, found?: object) => void) =>
        done(null, { connection: socket }),
      disableFileAccess: true,
      disableUrlAccess: true,
    });
    const timer = systemClock.after(limits.timeoutMs, () =>
      socket.destroy(new Error(`no answer within ${limits.timeoutMs} ms`)),
    );
    try {
      const { rejected } = await transport.sendMail({
        ...{ from: mail.from, to: [...mail.to], subject: mail.subject, text: mail.text },
        ...{ messageId: mail.messageId, references: mail.references },
        headers: { 'Auto-Submitted': 'auto-generated' },
      });
      const note = rejected.length === 0 ? {} : { note: `not accepted: ${rejected.join(', ')}` };
      return { outcome: { kind: 'delivered', status: 250, ...note } };
    } catch (error) {
      return this.#isAborted ? undefined : { outcome: this.#redacted(smtpOutcome(error as SmtpFailure)) };
    } finally {
      timer.cancel();
      transport.close();
    }
  }

  #redacted(outcome: Outcome): Outcome {
    if (!('reason' in outcome)) return outcome;
    return { ...outcome, reason: this.#options.redaction.apply(outcome.reason, MAX_REASON_CHARS) };
  }
}
