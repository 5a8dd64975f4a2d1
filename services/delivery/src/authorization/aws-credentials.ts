import type { AssumeRoleCommand, STSClient, STSClientConfig } from '@aws-sdk/client-sts';
import { messageOf } from '@databridge/kernel/errors';
import type { Secret } from '@databridge/kernel/secrets/secret';
import { systemClock } from '@databridge/kernel/time/clock';
import type { AwsAuthentication } from '@databridge/schemas/subscription/authentication';
import type { AwsCredentialIdentity } from '@smithy/types';
import type { Outcome } from '../attempt/outcome.ts';
import { type AwsRequests, AwsTrouble } from '../destination/aws/aws-requests.ts';
import type { Redaction } from '../destination/redaction.ts';
import type { OwnAccount } from './own-account.ts';

/** The role is assumed again this long before its credentials expire. */
const EARLY_MS = 5 * 60_000;
const SESSION_SECONDS = 3_600;
/** Credentials that are refused within this time would be refused again: no new ones are requested. */
const FRESH_FOR_MS = 60_000;
const SHOWN_CHARS = 400;

/** The customer's AWS account did not give us credentials. The event is not the cause. */
export class CredentialsError extends Error {
  override readonly name = 'CredentialsError';

  get outcome(): Outcome {
    const { isBlocked = false, operatorDetail } = this.cause instanceof AwsTrouble ? this.cause : {};
    const kind = isBlocked ? 'blocked' : 'deauthorized';
    return { kind, reason: this.message, ...(operatorDetail !== undefined && { operatorDetail }) };
  }
}

export interface AwsCredentials {
  (): Promise<AwsCredentialIdentity>;
  /**
   * Discards credentials that AWS refused: a session may be revoked, or expire early.
   * @returns whether other credentials can be requested now. Credentials are replaced after a minute at the earliest
   */
  discardRejected(): boolean;
}

export interface RoleOptions {
  readonly customer: string;
  readonly region: string;
  readonly requests: AwsRequests;
  /** The credentials are added to it, because a service may echo them. */
  readonly redaction: Redaction;
  /** Our own identity and the address of STS. If omitted, they are found in the standard AWS way. */
  readonly sts?: Pick<STSClientConfig, 'credentials' | 'endpoint'>;
  /** The worker's own AWS account: no role in it is assumed. */
  readonly ownAccount: OwnAccount;
}

/**
 * The keys of the customer's account, or those of a role in it that we assume with the external id that the role
 * requires.
 */
export function awsCredentials(authentication: AwsAuthentication<Secret>, options: RoleOptions): AwsCredentials {
  if ('accessKeyId' in authentication) {
    const { accessKeyId, secretAccessKey } = authentication;
    const keys = Promise.resolve({ accessKeyId, secretAccessKey: secretAccessKey.reveal() });
    options.redaction.add(secretAccessKey);
    return Object.assign(() => keys, { discardRejected: () => false });
  }
  return assumedRole(authentication, options);
}

/** However many deliveries wait for credentials, one request to STS is in flight. */
function assumedRole(
  { roleArn, externalId }: { readonly roleArn: string; readonly externalId?: string },
  { customer, region, requests, redaction, ownAccount, sts = {} }: RoleOptions,
): AwsCredentials {
  let opened: { readonly client: STSClient; readonly command: AssumeRoleCommand } | undefined;
  const open = async () => {
    // Loaded with the first role: it takes a tenth of the time in which a worker loads its modules.
    const { AssumeRoleCommand, STSClient } = await import('@aws-sdk/client-sts');
    const client = new STSClient({ ...sts, region, maxAttempts: 1, requestHandler: requests });
    const command = new AssumeRoleCommand({
      RoleArn: roleArn,
      ExternalId: externalId,
      // The session name, at most 64 characters; the customer's CloudTrail shows it.
      RoleSessionName: `databridge-${customer}`.slice(0, 64),
      DurationSeconds: SESSION_SECONDS,
    });
    return { client, command };
  };
  let held: Promise<AwsCredentialIdentity> | undefined;
  let endsAtMs = 0;
  let assumedAtMs = Number.NEGATIVE_INFINITY;

  const assume = async (): Promise<AwsCredentialIdentity> => {
    // Every stored role has an external id; without one, any customer could name a role that trusts us.
    if (externalId === undefined) throw new Error('the subscription has no external id; save it again');
    opened ??= await open();
    const { client, command } = opened;
    await ownAccount.refuse(roleArn, client);
    const { Credentials: given } = await client.send(command);
    if (!given?.AccessKeyId || !given.SecretAccessKey || !given.SessionToken)
      throw new Error('STS gave no credentials');
    redaction.add(given.SecretAccessKey);
    redaction.add(given.SessionToken);
    assumedAtMs = systemClock.monotonicMs();
    endsAtMs = (given.Expiration?.getTime() ?? systemClock.nowMs() + SESSION_SECONDS * 1_000) - EARLY_MS;
    return {
      accessKeyId: given.AccessKeyId,
      secretAccessKey: given.SecretAccessKey,
      sessionToken: given.SessionToken,
      ...(given.Expiration && { expiration: given.Expiration }),
    };
  };

  const credentials = () => {
    if (held === undefined || systemClock.nowMs() >= endsAtMs) {
      endsAtMs = Number.POSITIVE_INFINITY;
      held = assume().catch((error: unknown) => {
        held = undefined;
        throw new CredentialsError(`assuming ${roleArn} failed: ${redaction.apply(messageOf(error), SHOWN_CHARS)}`, {
          cause: error,
        });
      });
    }
    return held;
  };
  const discardRejected = () => {
    if (systemClock.monotonicMs() - assumedAtMs < FRESH_FOR_MS) return false;
    assumedAtMs = systemClock.monotonicMs();
    endsAtMs = 0;
    return true;
  };
  return Object.assign(credentials, { discardRejected });
}
