import { AssumeRoleCommand, STSClient, type STSClientConfig } from '@aws-sdk/client-sts';
import { messageOf } from '@databridge/kernel/errors';
import type { Secret } from '@databridge/kernel/secrets/secret';
import type { AwsAuthentication } from '@databridge/schemas/subscription/authentication';
import type { AwsCredentialIdentity } from '@smithy/types';
import type { Outcome } from '../attempt/outcome.ts';
import { type AwsRequests, AwsTrouble } from '../destination/aws/aws-requests.ts';

/** Assumed again this long before they end. */
const EARLY_MS = 5 * 60_000;
const SESSION_SECONDS = 3_600;

/** The customer's AWS account did not give us credentials: no event's fault. */
export class CredentialsError extends Error {
  override readonly name = 'CredentialsError';

  get outcome(): Outcome {
    const isBlocked = this.cause instanceof AwsTrouble && this.cause.isBlocked;
    return { kind: isBlocked ? 'blocked' : 'deauthorized', reason: this.message };
  }
}

export type AwsCredentials = () => Promise<AwsCredentialIdentity>;

export interface RoleOptions {
  readonly customer: string;
  readonly region: string;
  readonly requests: AwsRequests;
  /** Our own identity, and where STS is; left out: found as every AWS program finds its own. */
  readonly sts?: Pick<STSClientConfig, 'credentials' | 'endpoint'>;
}

/** The keys of the customer's account, or those of a role there that we assume, with the external id that it asks for. */
export function awsCredentials(authentication: AwsAuthentication<Secret>, options: RoleOptions): AwsCredentials {
  if ('accessKeyId' in authentication) {
    const { accessKeyId, secretAccessKey } = authentication;
    const keys = Promise.resolve({ accessKeyId, secretAccessKey: secretAccessKey.reveal() });
    return () => keys;
  }
  return assumedRole(authentication, options);
}

/** However many deliveries wait for credentials, one request is under way. */
function assumedRole(
  { roleArn, externalId }: { roleArn: string; externalId: string },
  { customer, region, requests, sts = {} }: RoleOptions,
): AwsCredentials {
  const client = new STSClient({ ...sts, region, maxAttempts: 1, requestHandler: requests });
  const command = new AssumeRoleCommand({
    RoleArn: roleArn,
    ExternalId: externalId,
    // At most 64; shown in the customer's CloudTrail.
    RoleSessionName: `databridge-${customer}`.slice(0, 64),
    DurationSeconds: SESSION_SECONDS,
  });
  let held: Promise<AwsCredentialIdentity> | undefined;
  let endsAtMs = 0;

  const assume = async (): Promise<AwsCredentialIdentity> => {
    const { Credentials: given } = await client.send(command);
    if (!given?.AccessKeyId || !given.SecretAccessKey || !given.SessionToken)
      throw new Error('STS gave no credentials');
    endsAtMs = (given.Expiration?.getTime() ?? Date.now() + SESSION_SECONDS * 1_000) - EARLY_MS;
    return {
      accessKeyId: given.AccessKeyId,
      secretAccessKey: given.SecretAccessKey,
      sessionToken: given.SessionToken,
      ...(given.Expiration && { expiration: given.Expiration }),
    };
  };

  return () => {
    if (held === undefined || Date.now() >= endsAtMs) {
      endsAtMs = Number.POSITIVE_INFINITY;
      held = assume().catch((error: unknown) => {
        held = undefined;
        throw new CredentialsError(`assuming ${roleArn} failed: ${messageOf(error)}`, { cause: error });
      });
    }
    return held;
  };
}
