import type { STSClientConfig } from '@aws-sdk/client-sts';
import { DatabridgeError } from '@databridge/kernel/errors';
import type { Secret } from '@databridge/kernel/secrets/secret';
import { systemClock } from '@databridge/kernel/time/clock';
import type { AwsService } from '@databridge/schemas/destination/aws/aws-service';
import { strictQuery } from '@databridge/schemas/destination/aws/strict-query';
import { kindOf } from '@databridge/schemas/destination/destinations';
import type { HttpRequests, SmtpMails } from '@databridge/schemas/destination/kind';
import type { TimeSettings } from '@databridge/schemas/destination/time-limits';
import type { AwsAuthentication } from '@databridge/schemas/subscription/authentication';
import type { Fallback, Subscription } from '@databridge/schemas/subscription/subscription';
import { type Authorizer, type Headers, sendAuthorized } from '../authorization/authorizer.ts';
import { awsCredentials } from '../authorization/aws-credentials.ts';
import { fixedHeaders } from '../authorization/fixed-headers.ts';
import { OAuth } from '../authorization/oauth.ts';
import { OwnAccount } from '../authorization/own-account.ts';
import { SigV4 } from '../authorization/sigv4.ts';
import { CONNECT_TIMEOUT_MS, type Egress, type TlsIdentity } from '../egress/dispatcher.ts';
import { exchange, type Seen, type TimeLimits } from '../egress/exchange.ts';
import { AwsDestination } from './aws/aws-destination.ts';
import { AwsRequests } from './aws/aws-requests.ts';
import type { Destination } from './destination.ts';
import { EmailDestination } from './email/email.ts';
import { Handshake } from './http/handshake.ts';
import { HttpDestination } from './http/http.ts';
import { Signer } from './http/sign.ts';
import { Redaction } from './redaction.ts';

/** The resources that all destinations of a worker share. */
export interface DestinationSettings {
  readonly egress: Egress;
  /** A longer `Retry-After` is cut to this many ms. */
  readonly maxRetryAfterMs: number;
  /** The DNS name by which customers know the service; it identifies the sender in a CloudEvents handshake. */
  readonly webhookOrigin: string;
  /** Our own identity at AWS and the address of STS. If omitted, they are found in the standard AWS way. */
  readonly sts?: Pick<STSClientConfig, 'credentials' | 'endpoint'>;
  /** The account of the worker. If omitted, it is looked up for this destination alone. */
  readonly ownAccount?: OwnAccount;
}

const NO_BODY = new Uint8Array();

/**
 * Opens the destination that a subscription names, with the authentication that it names.
 * @param onRate called when the destination allows no more than this rate per second
 * @param ratePerSecond the rate that the subscription states at present
 */
export function openDestination(
  subscription: Subscription<Secret>,
  settings: DestinationSettings,
  onRate: (ratePerSecond: number) => void = () => undefined,
  ratePerSecond: () => number | undefined = () => subscription.ratePerSecond,
): Destination {
  const { destination } = subscription;
  const kind = kindOf(destination);
  switch (kind.transport) {
    case 'http':
      return openHttp(subscription, kind.requests(destination), settings, onRate, ratePerSecond);
    case 'aws':
      return openAws(subscription, kind.service(destination), settings);
    case 'smtp':
      return openSmtp(subscription, kind.mails(destination), settings);
  }
}

function openSmtp(subscription: Subscription<Secret>, mails: SmtpMails, { egress }: DestinationSettings): Destination {
  const { authentication, destination } = subscription;
  const redaction = new Redaction();
  if (authentication.type === 'basic') redaction.add(authentication.password);
  return new EmailDestination({
    ...{ mails, redaction, limits: timeLimits(destination), tls: tlsIdentity(subscription) },
    dial: (timeoutMs) => egress.openSocket(mails, timeoutMs),
    ...(authentication.type === 'basic' && {
      login: { user: authentication.username, pass: authentication.password.reveal() },
    }),
  });
}

function openAws(subscription: Subscription<Secret>, service: AwsService, settings: DestinationSettings): Destination {
  const limits = timeLimits(subscription.destination);
  const redaction = new Redaction();
  return new AwsDestination({
    ...{ service, limits, redaction },
    pool: settings.egress.openPool(service.url, { connectTimeoutMs: limits.connectTimeoutMs, allowH2: false }),
    authorizer: sigV4(subscription, { service: service.signingName, region: service.region }, settings, redaction),
  });
}

function openHttp(
  subscription: Subscription<Secret>,
  requests: HttpRequests,
  settings: DestinationSettings,
  onRate: (ratePerSecond: number) => void,
  ratePerSecond: () => number | undefined,
): Destination {
  const { destination, authentication, signing } = subscription;
  const { method, maxBodyBytes, gzip } = requests;
  const limits = timeLimits(destination);
  const url = new URL(requests.url);
  const tls = tlsIdentity(subscription);
  const { connectTimeoutMs } = limits;
  const pool = settings.egress.openPool(url, { connectTimeoutMs, tls });
  const redaction = new Redaction();
  const headers: Headers = {
    'user-agent': 'databridge-events/1',
    ...requests.headers,
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
      const scope = { service: 'execute-api', region: requests.region ?? '' };
      authorizer = sigV4(subscription, scope, settings, redaction);
      url.search = strictQuery(url.searchParams);
      break;
    }
    case 'none':
  }
  const handshake =
    requests.handshake === true
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
            return sendAuthorized(authorizer, unauthorized, systemClock.nowMs(), send, statusOf);
          },
        })
      : undefined;
  return new HttpDestination({
    ...{ url, method, limits, headers, pool, redaction },
    format: (message) => requests.format(message),
    maxRetryAfterMs: settings.maxRetryAfterMs,
    ...(maxBodyBytes !== undefined && { maxBodyBytes }),
    ...(gzip !== undefined && { gzip }),
    ...(signing && { signer: new Signer(signing.secrets, oldSigningSecrets(subscription)) }),
    ...(authorizer && { authorizer }),
    ...(handshake && { handshake }),
  });
}

function oldSigningSecrets({ fallbacks }: Subscription<Secret>): Fallback<Secret>[] {
  return Object.entries(fallbacks ?? {}).flatMap(([place, old]) => (place.startsWith('signing.') ? [old] : []));
}

/** @param redaction the secrets are added to it */
function sigV4(
  { customer, authentication, destination }: Subscription<Secret>,
  { service, region }: { readonly service: string; readonly region: string },
  { egress, sts, ownAccount = new OwnAccount() }: DestinationSettings,
  redaction: Redaction,
): SigV4 {
  // The validator rejects everything else.
  if (authentication.type !== 'aws')
    throw new DatabridgeError('DB_INPUT_INVALID', 'AWS needs the authentication "aws"');
  const requests = new AwsRequests({ egress, limits: timeLimits(destination) });
  const credentials = awsCredentials(authentication as AwsAuthentication<Secret>, {
    ...{ customer, region, requests, redaction, ownAccount },
    ...(sts && { sts }),
  });
  return new SigV4({ credentials, region, service, close: () => requests.abort() });
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
