import { sharedToken, type TokenSource } from './shared-token.ts';

/** A token is valid for 15 minutes. */
const USED_FOR_MS = 600_000;

/**
 * Tokens for Amazon MSK with IAM access control: a request that is signed with the AWS credentials of the process, by
 * AWS's own signer. It is loaded at the first login: only users of MSK need it and the AWS SDK below it.
 * @param region of the cluster
 */
export function mskIamTokens(region: string): TokenSource {
  return sharedToken(async () => {
    const { generateAuthToken } = await import('aws-msk-iam-sasl-signer-js');
    const { token } = await generateAuthToken({ region });
    return { value: token, usedForMs: USED_FOR_MS };
  });
}
