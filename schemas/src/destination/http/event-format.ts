import type { Formatted } from '../kind.ts';
import type { Message } from '../message.ts';

/**
 * The formats: the event without a wrapper; a CloudEvent 1.0 with its attributes in headers (binary) or around the
 * event (structured); or, for notices only, the message format of incoming webhooks of Slack and compatible services.
 */
export const EVENT_FORMATS = ['json', 'cloudevents-binary', 'cloudevents-structured', 'slack'] as const;
export type EventFormat = (typeof EVENT_FORMATS)[number];

const JSON_CONTENT = { 'content-type': 'application/json' };
const END = Buffer.from('}');
/** Event ids are unique within this source (CloudEvents 1.0: source + id). */
const SOURCE = '/databridge/events';

/**
 * Puts an event into a request. CloudEvents 1.0.2, HTTP binding:
 * https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/bindings/http-protocol-binding.md
 */
export function formatterOf(format: EventFormat): (message: Message) => Formatted {
  switch (format) {
    case 'json':
      return ({ body }) => ({ headers: JSON_CONTENT, body });
    case 'cloudevents-binary':
      return (message) => ({ headers: { ...JSON_CONTENT, ...binaryAttributes(message) }, body: message.body });
    case 'cloudevents-structured':
      return (message) => ({
        headers: { 'content-type': 'application/cloudevents+json; charset=utf-8' },
        // The event is JSON already: parsing it only to write it again would cost more than everything else here.
        body: Buffer.concat([
          Buffer.from(`${JSON.stringify(attributes(message)).slice(0, -1)},"data":`),
          message.body,
          END,
        ]),
      });
    case 'slack':
      return ({ body }) => ({ headers: JSON_CONTENT, body: Buffer.from(slackMessage(body)) });
  }
}

/** Slack's markup has three characters to escape: https://docs.slack.dev/messaging/formatting-message-text */
function slackMessage(notice: Uint8Array): string {
  const { severity, state, text } = JSON.parse(Buffer.from(notice).toString('utf8')) as Record<string, unknown>;
  const head = state === 'resolved' ? 'resolved' : String(severity ?? 'test');
  const said = String(text).replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
  return JSON.stringify({ text: `*${head}* ${said}` });
}

function attributes({ eventId, eventType, schemaVersion, traceparent }: Message): Record<string, string> {
  return {
    specversion: '1.0',
    id: eventId,
    source: SOURCE,
    type: `databridge.${eventType}.${schemaVersion}`,
    datacontenttype: 'application/json',
    ...(traceparent !== undefined && { traceparent }),
  };
}

function binaryAttributes(message: Message): Record<string, string> {
  const { datacontenttype: _inContentType, ...others } = attributes(message);
  return Object.fromEntries(Object.entries(others).map(([name, value]) => [`ce-${name}`, percentEncoded(value)]));
}

/** §3.1.3.2: space, double quote, percent and all characters beyond printable ASCII are percent-encoded, as UTF-8. */
function percentEncoded(value: string): string {
  return value.replace(/[^\x21\x23\x24\x26-\x7e]/gu, (character) =>
    [...Buffer.from(character)].map((byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`).join(''),
  );
}
