import type { STSClient } from '@aws-sdk/client-sts';

/**
 * The AWS account that our own credentials belong to. Roles in it may trust every principal of the account, and so us:
 * a customer that named one would send with our rights. STS is asked once, before the first role is assumed; the call
 * needs no permission.
 */
export class OwnAccount {
  #asked: Promise<string> | undefined;
  #known: string | undefined;

  /** Undefined until the first role is assumed. */
  get known(): string | undefined {
    return this.#known;
  }

  /** @throws what the client throws; the next call asks again */
  async refuse(roleArn: string, client: STSClient): Promise<void> {
    this.#asked ??= this.#ask(client);
    const account = await this.#asked.catch((error: unknown) => {
      this.#asked = undefined;
      throw error;
    });
    if (accountOf(roleArn) === account) {
      throw new Error(`it is a role of Databridge's own account; name a role of the customer's account`);
    }
  }

  async #ask(client: STSClient): Promise<string> {
    const { GetCallerIdentityCommand } = await import('@aws-sdk/client-sts');
    const { Account } = await client.send(new GetCallerIdentityCommand());
    if (Account === undefined) throw new Error('STS named no account');
    this.#known = Account;
    return Account;
  }
}

/** `arn:aws:iam::<account>:role/<name>` */
const accountOf = (roleArn: string) => roleArn.split(':')[4];
