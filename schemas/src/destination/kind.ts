/** What a kind of destination consists of. Each kind is one folder beside this file, and one line in destinations.ts. */
import type { z } from 'zod';
import type { Authentication } from '../subscription/authentication.ts';
import type { Issue } from '../subscription/issue-words.ts';
import type { AwsService } from './aws/aws-service.ts';
import type { Message } from './message.ts';
import type { TimeSettings } from './time-limits.ts';

/** The part of a subscription under `destination`: the kind's name as `type`, its own fields, and {@link TimeSettings}. */
export type DestinationSchema = z.ZodObject<{ type: z.ZodLiteral<string>; timeoutMs: z.ZodType } & z.ZodRawShape>;

/** What all kinds have. Pure: whatever needs the network is done by delivery, for each transport. */
interface Kind<Settings> {
  /** For documents, such as "Amazon SQS queue". */
  readonly title: string;
  /** The authentication types that the kind accepts. A destination's secrets are under `authentication`, never beside its URL. */
  readonly authentications: readonly Authentication['type'][];
  /** The fields that hold a URL to which requests are sent: they are checked by the egress policy when they are saved. */
  readonly urls: readonly string[];
  /** It takes notices alone: subscriptions to other event types are refused. */
  readonly onlyNotices?: true;
  /**
   * Mistakes that no field shows alone.
   * @param settings not validated yet, so that all mistakes of a subscription are reported at once
   */
  issues?(settings: Readonly<Record<string, unknown>>, authentication: string): Issue[];
  /** The address in one line, for lists. */
  label(settings: Settings): string;
  /** While it stays the same, so do the waits that the destination asked for, and the state of the circuit breaker. */
  address(settings: Settings): readonly (string | undefined)[];
  /**
   * The recipient of the secrets, by the field that names it: the origin of a URL, an AWS account. When one changes,
   * the secrets must be entered again, so that a person who may edit the subscription can't redirect them.
   */
  recipients(settings: Settings, authentication: string): Readonly<Record<string, string>>;
}

/** One HTTP request per event. */
export interface HttpKind<Settings> extends Kind<Settings> {
  readonly transport: 'http';
  requests(settings: Settings): HttpRequests;
}

/** Requests to an AWS service, signed by SigV4: one or more events per request. */
export interface AwsKind<Settings> extends Kind<Settings> {
  readonly transport: 'aws';
  service(settings: Settings): AwsService;
}

/** One mail per event, over SMTP. */
export interface SmtpKind<Settings> extends Kind<Settings> {
  readonly transport: 'smtp';
  mails(settings: Settings): SmtpMails;
}

export interface SmtpMails {
  readonly host: string;
  readonly port: number;
  /** `starttls`: it is required, and `tls`: from the first byte. */
  readonly encryption: 'starttls' | 'tls' | 'none';
  mail(message: Message): Mail;
}

export interface Mail {
  readonly from: string;
  readonly to: readonly string[];
  readonly subject: string;
  readonly text: string;
  /** With angle brackets. */
  readonly messageId: string;
  readonly references: string;
}

/** The content of one request. */
export interface Formatted {
  /** With `content-type`. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

export interface HttpRequests {
  readonly url: string;
  readonly method: 'POST' | 'PUT';
  readonly headers: Readonly<Record<string, string>>;
  /** The content of the request. The headers that describe the event, and its signature, are added for every kind. */
  format(message: Message): Formatted;
  /** Larger bodies are refused before they are sent. */
  readonly maxBodyBytes?: number;
  /** Bodies of 1 KiB or more are compressed. */
  readonly gzip?: boolean;
  /** Ask by OPTIONS before the first delivery, as CloudEvents' webhooks do, and keep to the rate that is allowed. */
  readonly handshake?: boolean;
  /** The region to sign for, with the authentication `aws`. */
  readonly region?: string;
}

type AnyKind<Settings> = HttpKind<Settings> | AwsKind<Settings> | SmtpKind<Settings>;

/** A kind whose functions take what its schema accepts. */
export type DestinationKind<Schema extends DestinationSchema = DestinationSchema> = AnyKind<
  z.output<Schema> & TimeSettings
> & { readonly schema: Schema };

/** Checks the type of a kind, and keeps that of its schema. */
export function destinationKind<Schema extends DestinationSchema>(
  kind: DestinationKind<Schema>,
): DestinationKind<Schema> {
  return kind;
}

/** The scheme, host and port of a URL: the recipient of what is sent there. */
export const originOf = (url: string) => URL.parse(url)?.origin ?? url;
