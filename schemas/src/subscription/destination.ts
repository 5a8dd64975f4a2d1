/** Where a customer's events go. */
import { z } from 'zod';
import { staticHeaders } from './header-rules.ts';
import { url } from './url-rules.ts';

export type Destination = HttpDestination | ApiGatewayDestination | SnsDestination | SqsDestination;

/** In ms. No phase's limit is longer than the whole. */
export interface TimeSettings {
  /** For the whole exchange, from the wish to connect to the answer's last byte. */
  readonly timeoutMs: number;
  /** Until there is a connection: name, TCP, TLS. Left out: 5 s, or the whole if that is shorter. */
  readonly connectTimeoutMs?: number;
  /** From there until the answer's headers have come. Left out: the whole. */
  readonly headersTimeoutMs?: number;
  /** From there until its last byte has. Left out: the whole. */
  readonly bodyTimeoutMs?: number;
}

interface HttpSettings extends TimeSettings {
  readonly url: string;
  readonly method: 'POST' | 'PUT';
  readonly headers: Readonly<Record<string, string>>;
  readonly format: EventFormat;
}

/** The event as it is, or as a CloudEvent 1.0: its attributes in headers (binary), or around it (structured). */
export type EventFormat = 'json' | 'cloudevents-binary' | 'cloudevents-structured';

/** Any endpoint of the customer's own. */
export interface HttpDestination extends HttpSettings {
  readonly type: 'http';
  /** Large bodies go out compressed. */
  readonly gzip: boolean;
  /** Ask by OPTIONS before the first delivery, as CloudEvents' web hooks do, and keep to the rate that is allowed. */
  readonly handshake: boolean;
}

/** Amazon API Gateway: with an API key, or with IAM (SigV4). */
export interface ApiGatewayDestination extends HttpSettings {
  readonly type: 'api-gateway';
  /** Left out: as the URL's host name tells. */
  readonly region?: string;
}

export interface SnsDestination extends TimeSettings {
  readonly type: 'sns';
  readonly topicArn: string;
  /** A VPC endpoint, say; left out: the region's own. */
  readonly endpoint?: string;
}

export interface SqsDestination extends TimeSettings {
  readonly type: 'sqs';
  readonly queueUrl: string;
  /** Left out: as the URL's host name tells. */
  readonly region?: string;
}

// The retry plan's 185 attempts leave about 20 s for each in their 24 hours.
const limitMs = z.int().min(100).max(20_000);
export const DEFAULT_TIMEOUT_MS = 10_000;
const timeSettings = {
  timeoutMs: limitMs.default(DEFAULT_TIMEOUT_MS),
  connectTimeoutMs: limitMs.optional(),
  headersTimeoutMs: limitMs.optional(),
  bodyTimeoutMs: limitMs.optional(),
};
/** Of one phase each. */
export const PHASE_LIMITS = ['connectTimeoutMs', 'headersTimeoutMs', 'bodyTimeoutMs'] as const;
export const region = z.string().regex(/^[a-z][a-z0-9]*(-[a-z0-9]+)*-\d+$/, 'is not an AWS region, such as eu-west-1');

const httpSettings = {
  url,
  method: z.enum(['POST', 'PUT']).default('POST'),
  headers: staticHeaders,
  ...timeSettings,
  format: z.enum(['json', 'cloudevents-binary', 'cloudevents-structured']).default('json'),
};

export const destinationSchema = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('http'),
    ...httpSettings,
    gzip: z.boolean().default(false),
    handshake: z.boolean().default(false),
  }),
  z.strictObject({ type: z.literal('api-gateway'), ...httpSettings, region: region.optional() }),
  z.strictObject({
    type: z.literal('sns'),
    topicArn: z
      .string()
      .regex(
        /^arn:[a-z0-9-]+:sns:[a-z0-9-]+:\d{12}:[\w-]{1,256}(\.fifo)?$/,
        'is not the ARN of an SNS topic, such as arn:aws:sns:eu-west-1:123456789012:events',
      ),
    endpoint: url.optional(),
    ...timeSettings,
  }),
  z.strictObject({
    type: z.literal('sqs'),
    queueUrl: url.refine(
      (text) => /^\/[^?]*\/[\w-]{1,80}(\.fifo)?$/.test(URL.parse(text)?.pathname ?? '/0/ok'),
      'is not the URL of an SQS queue, such as https://sqs.eu-west-1.amazonaws.com/123456789012/events',
    ),
    region: region.optional(),
    ...timeSettings,
  }),
]);
