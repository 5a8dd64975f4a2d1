import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { SMTPServer } from 'smtp-server';
import { makeCertificates } from '../peers/certificates.ts';

export const MAIL_LOGIN = { username: 'notices', password: 'a-password-of-mail' };

export interface ReceivedMail {
  readonly to: readonly string[];
  readonly subject: string;
  readonly messageId: string;
  /** Ids of the mails whose thread it is in. */
  readonly references: string;
  readonly body: string;
  /** Whether it came by STARTTLS, after a login. */
  readonly isEncrypted: boolean;
  readonly user: string | undefined;
  /** The server's answer to it. */
  readonly status: number;
}

export interface MailServer {
  readonly port: number;
  /** PEM of the authority that signed its certificate, which is for 127.0.0.1. */
  readonly ca: string;
  readonly mails: readonly ReceivedMail[];
  /** Resolves once the mails are as wanted. */
  waitFor(isEnough: (mails: readonly ReceivedMail[]) => boolean): Promise<void>;
}

/**
 * A real SMTP server (smtp-server) with STARTTLS and a login. Closed with the test file that started it.
 * @param answer status for its nth mail, such as 250 or 451; `nth` begins at 1
 */
export async function startMailServer(answer: (nth: number) => number): Promise<MailServer> {
  const { dir, ca } = await makeCertificates();
  const [key, cert] = await Promise.all(['server.key', 'server.crt'].map((name) => readFile(join(dir, name), 'utf8')));
  const mails: ReceivedMail[] = [];
  const waiting = new Set<() => void>();
  const server = new SMTPServer({
    ...{ key: key ?? '', cert: cert ?? '', logger: false, closeTimeout: 100 },
    onAuth({ username, password }, _session, done) {
      const isKnown = username === MAIL_LOGIN.username && password === MAIL_LOGIN.password;
      if (isKnown) done(null, { user: username });
      else done(Object.assign(new Error('wrong login'), { responseCode: 535 }));
    },
    onData(stream, { envelope, secure, user }, done) {
      text(stream).then((mail) => {
        const [head = '', ...body] = mail.split('\r\n\r\n');
        const status = answer(mails.length + 1);
        mails.push({
          to: envelope.rcptTo.map(({ address }) => address),
          ...{ subject: headerOf(head, 'Subject'), messageId: headerOf(head, 'Message-ID') },
          ...{ references: headerOf(head, 'References'), body: body.join('\r\n\r\n'), isEncrypted: secure },
          ...{ user: typeof user === 'string' ? user : undefined, status },
        });
        for (const look of waiting) look();
        if (status < 300) done(null, 'taken');
        else done(Object.assign(new Error('not now'), { responseCode: status }));
      }, done);
    },
  });
  // Clients that are cut off at the end are no fault of the server.
  server.on('error', () => undefined);
  started.add(server);
  const listener = server.listen(0, '127.0.0.1');
  if (!listener.listening) await once(listener, 'listening');
  return {
    port: (listener.address() as AddressInfo).port,
    ca,
    mails,
    async waitFor(isEnough) {
      const { promise, resolve } = Promise.withResolvers<void>();
      const look = () => isEnough(mails) && resolve();
      waiting.add(look);
      look();
      await promise;
      waiting.delete(look);
    },
  };
}

/** Its lines joined, when it was folded. */
function headerOf(head: string, name: string): string {
  const found = new RegExp(`^${name}: (.*(?:\\r\\n[ \\t].*)*)`, 'im').exec(head)?.[1] ?? '';
  return found.replace(/\r\n[ \t]+/g, ' ');
}

const started = new Set<SMTPServer>();

afterAll(async () => {
  await Promise.all([...started].map((server) => new Promise<void>((done) => server.close(() => done()))));
});
