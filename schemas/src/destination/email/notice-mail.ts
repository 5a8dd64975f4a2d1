/** Renders a notice as a mail. Pure. */
import { createHash } from 'node:crypto';
import type { Mail } from '../kind.ts';
import type { Message } from '../message.ts';

const MAX_SUBJECT_CHARS = 150;

/** @returns a function that renders the mail of each notice */
export function mailOf(from: string, to: readonly string[]): (message: Message) => Mail {
  const domain = from.slice(from.lastIndexOf('@') + 1);
  const idOf = (text: string) => `<${createHash('sha256').update(text).digest('hex').slice(0, 32)}@${domain}>`;
  return ({ body, eventId, replayId }) => {
    const notice = JSON.parse(Buffer.from(body).toString('utf8')) as Record<string, unknown>;
    const text = String(notice['text'] ?? '');
    const head = notice['state'] === 'resolved' ? 'resolved' : String(notice['severity'] ?? 'test');
    return {
      from,
      to,
      subject: oneLine(`[${head}] ${text.split(/(?<=\.) /)[0] ?? ''}`).slice(0, MAX_SUBJECT_CHARS),
      text: `${text}\n\n${factsOf(notice)}\n`,
      // The same in each retry, so that mail programs drop a copy.
      messageId: idOf(`${eventId} ${replayId ?? ''}`),
      // The notice that resolves another one is in the same thread.
      references: idOf(String(notice['noticeid'] ?? eventId)),
    };
  };
}

function factsOf(notice: Readonly<Record<string, unknown>>): string {
  const names = ['kind', 'state', 'severity', 'since', 'at', 'noticeid'];
  return names.flatMap((name) => (notice[name] === undefined ? [] : [`${name}: ${String(notice[name])}`])).join('\n');
}

/** The name must not start another header line; double quotes would make mail programs show it encoded. */
function oneLine(text: string): string {
  return text.replace(/\s+/g, ' ').replaceAll('"', "'").trim();
}
