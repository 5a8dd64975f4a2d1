import type { STSClientConfig } from '@aws-sdk/client-sts';
import { DatabridgeError } from '@databridge/kernel/errors';
import type { Secret } from '@databridge/kernel/secrets/secret';
import type { AwsAuthentication } from '@databridge/schemas/subscription/authentication';
import type {
  ApiGatewayDestination,
  HttpDestination as HttpSettings,
  TimeSettings,
} from '@databridge/schemas/subscription/destination';
import type { Fallback, Subscription } from '@databridge/schemas/subscription/subscription';
import { regionOfHost } from '@databridge/schemas/subscription/url-rules';
import { type Authorizer, type Headers, sendAuthorized } from '../authorization/authorizer.ts';
import { type AwsCredentials, awsCredentials } from '../authorization/aws-credentials.ts';
import { fixedHeaders } from '../authorization/fixed-headers.ts';
import { OAuth } from '../authorization/oauth.ts';
import { SigV4 } from '../authorization/sigv4.ts';
import { CONNECT_TIMEOUT_MS, type Egress, type TlsIdentity } from '../egress/dispatcher.ts';
import { exchange, type Seen, type TimeLimits } from '../egress/exchange.ts';
import { strictQuery } from './aws/aws-query.ts';
import { AwsRequests } from './aws/aws-requests.ts';
import { SnsDestination } from './aws/sns.ts';
import { SqsDestination } from './aws/sqs.ts';
import type { Destination } from './destination.ts';
import { formatterOf } from './http/event-format.ts';
import { Handshake } from './http/handshake.ts';
import { HttpDestination } from './http/http.ts';
import { Signer } from './http/sign.ts';
import { Redaction } from './redaction.ts';

/** What all destinations of a worker share. */
export interface DestinationSettings {
  readonly egress: Egress;
  /** A longer `Retry-After` is cut to this. */
  readonly maxRetryAfterMs: number;
  /** The DNS name by which customers know the service: who asks in a CloudEvents handshake. */
  readonly webhookOrigin: string;
  /** Our own identity at AWS, and where STS is; left out: found as every AWS program finds its own. */
  readonly sts?: Pick<STSClientConfig, 'credentials' | 'endpoint'>;
}

/** https://docs.aws.amazon.com/apigateway/latest/developerguide/limits.html */
const API_GATEWAY_MAX_BYTES = 10_485_760;
const NO_BODY = new Uint8Array();

/**
 * The destination that a subscription names, known by the authentication that it names.
 * @param onRate the destination asks for no more than this per second
 * @param ratePerSecond what the subscription states at the moment
 */
export function openDestination(
  subscription: Subscription<Secret>,
  settings: DestinationSettings,
  onRate: (ratePerSecond: number) => void = () => undefined,
  ratePerSecond: () => number | undefined = () => subscription.ratePerSecond,
): Destination {
  const { destination } = subscription;
  switch (destination.type) {
    case 'http':
    case 'api-gateway':
      return openHttp(subscription, destination, settings, onRate, ratePerSecond);
    case 'sns': {
      const region = destination.topicArn.split(':')[3] ?? '';
      return new SnsDestination(destination, aws(subscription, region, timeLimits(destination), settings));
    }
    case 'sqs': {
      const region = destination.region ?? regionOfHost(destination.queueUrl) ?? '';
      return new SqsDestination(destination, aws(subscription, region, timeLimits(destination), settings));
    }
  }
}

function openHttp(
  subscription: Subscription<Secret>,
  destination: HttpSettings | ApiGatewayDestination,
  settings: DestinationSettings,
  onRate: (ratePerSecond: number) => void,
  ratePerSecond: () => number | undefined,
): Destination {
  const { authentication, signing } = subscription;
  const { method } = destination;
  const limits = timeLimits(destination);
  const url = new URL(destination.url);
  const tls = tlsIdentity(subscription);
  const { connectTimeoutMs } = limits;
  const pool = settings.egress.openPool(url, { connectTimeoutMs, tls });
  const redaction = new Redaction();
  const headers: Headers = {
    'user-agent': 'databridge-events/1',
    ...destination.headers,
    ...fixedHeaders(authentication),
  };
  let authorizer: Authorizer | undefined;
  switch (authentication.type) {
    case 'basic':
      redaction.add(authentication.password);
      redaction.add(String(headers['authorization']).slice('Basic '.length));
      break;
    case 'api-key':
      redaction.add(authentication.key);
      break;
    case 'oauth':
      authorizer = new OAuth(authentication, { egress: settings.egress, tls, redaction });
      break;
    case 'aws': {
      const region = ('region' in destination ? destination.region : undefined) ?? regionOfHost(destination.url) ?? '';
      const { credentials } = aws(subscription, region, limits, settings, redaction);
      authorizer = new SigV4(credentials, region);
      url.search = strictQuery(url.searchParams);
      break;
    }
    case 'none':
  }
  const handshake =
    destination.type === 'http' && destination.handshake
      ? new Handshake({
          origin: settings.webhookOrigin,
          ratePerSecond,
          onRate,
          redact: (text, maxChars) => redaction.apply(text, maxChars),
          ask: async (asked) => {
            const all = { ...headers, ...asked };
            const target = { origin: url.origin, path: url.pathname + url.search, method: 'OPTIONS' as const };
            const askWith = (all: Headers) =>
              new Promise<Seen>((resolve) => exchange(pool, { ...target, headers: all }, limits, resolve));
            if (!authorizer) return askWith(all);
            const unauthorized = { method: 'OPTIONS' as const, url, headers: all, body: NO_BODY };
            const send = (added: Headers) => askWith({ ...all, ...added });
            const statusOf = (seen: Seen) => ('status' in seen ? seen.status : undefined);
            return sendAuthorized(authorizer, unauthorized, Date.now(), send, statusOf);
          },
        })
      : undefined;
  return new HttpDestination({
    ...{ url, method, limits, headers, pool, redaction },
    format: formatterOf(destination.format),
    maxRetryAfterMs: settings.maxRetryAfterMs,
    ...(destination.type === 'api-gateway' && { maxBodyBytes: API_GATEWAY_MAX_BYTES }),
    ...(destination.type === 'http' && { gzip: destination.gzip }),
    ...(signing && { signer: new Signer(signing.secrets, oldSigningSecrets(subscription)) }),
    ...(authorizer && { authorizer }),
    ...(handshake && { handshake }),
  });
}

function oldSigningSecrets({ fallbacks }: Subscription<Secret>): Fallback<Secret>[] {
  return Object.entries(fallbacks ?? {}).flatMap(([place, old]) => (place.startsWith('signing.') ? [old] : []));
}

function aws(
  { customer, authentication }: Subscription<Secret>,
  region: string,
  limits: TimeLimits,
  { egress, sts }: DestinationSettings,
  redaction = new Redaction(),
): { region: string; credentials: AwsCredentials; requests: AwsRequests; redaction: Redaction } {
  // The validator lets nothing else through.
  if (authentication.type !== 'aws')
    throw new DatabridgeError('DB_INPUT_INVALID', 'AWS needs the authentication "aws"');
  const requests = new AwsRequests({ egress, limits });
  const credentials = awsCredentials(authentication as AwsAuthentication<Secret>, {
    ...{ customer, region, requests, redaction },
    ...(sts && { sts }),
  });
  return { region, credentials, requests, redaction };
}

function timeLimits({ timeoutMs, connectTimeoutMs, headersTimeoutMs, bodyTimeoutMs }: TimeSettings): TimeLimits {
  return {
    timeoutMs,
    connectTimeoutMs: connectTimeoutMs ?? Math.min(CONNECT_TIMEOUT_MS, timeoutMs),
    headersTimeoutMs: headersTimeoutMs ?? timeoutMs,
    bodyTimeoutMs: bodyTimeoutMs ?? timeoutMs,
  };
}

function tlsIdentity({ tls }: Subscription<Secret>): TlsIdentity {
  if (!tls) return {};
  const { clientCertificate: cert, clientKey: key, ca } = tls;
  return { ...(cert !== undefined && { cert }), ...(key && { key: key.reveal() }), ...(ca !== undefined && { ca }) };
}
