/** The parts of a kind of destination. Each kind is one folder beside this file, and one line in destinations.ts. */
import type { z } from 'zod';
import type { Authentication } from '../subscription/authentication.ts';
import type { Issue } from '../subscription/issue-words.ts';
import type { AwsService } from './aws/aws-service.ts';
import type { Message } from './message.ts';
import type { TimeSettings } from './time-limits.ts';

/** The part of a subscription under `destination`: the kind's name as `type`, its own fields, and {@link TimeSettings}. */
export type DestinationSchema = z.ZodObject<{ type: z.ZodLiteral<string>; timeoutMs: z.ZodType } & z.ZodRawShape>;

/** The parts that all kinds have. Pure: delivery does everything that needs the network, for each transport. */
interface Kind<Settings> {
  /** For documents, such as "Amazon SQS queue". */
  readonly title: string;
  /** The authentication types that the kind accepts. A destination's secrets are under `authentication`, never beside its URL. */
  readonly authentications: readonly Authentication['type'][];
  /** The fields that contain a URL to which requests are sent: they are checked by the egress policy when they are saved. */
  readonly urls: readonly string[];
  /** True if it accepts notices only: subscriptions to other event types are refused. */
  readonly onlyNotices?: true;
  /**
   * Mistakes that concern several fields.
   * @param settings not validated yet, so that all mistakes of a subscription are reported at once
   */
  issues?(settings: Readonly<Record<string, unknown>>, authentication: string): Issue[];
  /** The address in one line, for lists. */
  label(settings: Settings): string;
  /**
   * While this value stays the same, the waits that the destination asked for and the state of the circuit breaker are
   * kept.
   */
  address(settings: Settings): readonly (string | undefined)[];
  /**
   * The recipient of the secrets, by the field that names it: the origin of a URL, an AWS account. If one changes, the
   * secrets must be entered again, so that a person who may edit the subscription cannot redirect them.
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
  /** `starttls`: encryption is required, and `tls`: encryption starts with the first byte. */
  readonly encryption: 'starttls' | 'tls' | 'none';
  mail(message: Message): Mail;
}

export interface Mail {
  readonly from: string;
  readonly to: readonly string[];
  readonly subject: string;
  readonly text: string;
  /** The message id with angle brackets. */
  readonly messageId: string;
  readonly references: string;
}

/** The content of one request. */
export interface Formatted {
  /** The headers, with `content-type`. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

export interface HttpRequests {
  readonly url: string;
  readonly method: 'POST' | 'PUT';
  readonly headers: Readonly<Record<string, string>>;
  /** The content of the request. The headers that describe the event, and its signature, are added for every kind. */
  format(message: Message): Formatted;
  /** Larger bodies, in bytes, are refused before they are sent. */
  readonly maxBodyBytes?: number;
  /** Bodies of 1 KiB or more are compressed. */
  readonly gzip?: boolean;
  /**
   * States whether permission is requested by OPTIONS before the first delivery, as for CloudEvents webhooks, and the
   * allowed rate is kept.
   */
  readonly handshake?: boolean;
  /** The region to sign for, with the authentication `aws`. */
  readonly region?: string;
}

type AnyKind<Settings> = HttpKind<Settings> | AwsKind<Settings> | SmtpKind<Settings>;

/** A kind whose functions receive the settings that its schema accepts. */
export type DestinationKind<Schema extends DestinationSchema = DestinationSchema> = AnyKind<
  z.output<Schema> & TimeSettings
> & { readonly schema: Schema };

/** Checks the type of a kind, and keeps the type of its schema. */
export function destinationKind<Schema extends DestinationSchema>(
  kind: DestinationKind<Schema>,
): DestinationKind<Schema> {
  return kind;
}

/** The scheme, host and port of a URL: the recipient of requests to it. */
export const originOf = (url: string) => URL.parse(url)?.origin ?? url;
