/** Values that no subscription may have by the settings of this deployment, even if they are valid in themselves. */
import { systemClock } from '@databridge/kernel/time/clock';
import type { Issue } from '@databridge/schemas/subscription/issue-words';
import type { Subscription } from '@databridge/schemas/subscription/subscription';
import type { ControlPlaneContext } from '../../context.ts';
import { eventTypeIssues } from './event-types.ts';
import { egressIssues } from './outgoing-urls.ts';
import { tlsIssues } from './tls-issues.ts';

/**
 * Closed URLs, unusable certificates, roles of the workers' own AWS accounts.
 * @param before the stored subscription
 */
export function closedIssues(
  subscription: Subscription,
  before: Subscription | undefined,
  { egress, ownAwsAccounts = [], workers }: Pick<ControlPlaneContext, 'egress' | 'ownAwsAccounts' | 'workers'>,
): Issue[] {
  const ownAccounts = [...ownAwsAccounts, ...workers().flatMap(({ report }) => report.awsAccount ?? [])];
  return [
    ...egressIssues(subscription, egress),
    ...tlsIssues(subscription, before, systemClock.nowMs()),
    ...ownRoleIssues(subscription, ownAccounts),
  ];
}

/** {@link closedIssues}, and event types that nobody publishes. */
export function refusals(
  subscription: Subscription,
  before: Subscription | undefined,
  context: Pick<ControlPlaneContext, 'egress' | 'ownAwsAccounts' | 'workers' | 'eventTypes'>,
): Issue[] {
  return [...eventTypeIssues(subscription, context.eventTypes), ...closedIssues(subscription, before, context)];
}

/** A role of our own account would act for a customer with our rights. */
function ownRoleIssues({ authentication }: Subscription, ownAccounts: readonly string[]): Issue[] {
  if (authentication.type !== 'aws' || !('roleArn' in authentication)) return [];
  const account = authentication.roleArn.split(':')[4] ?? '';
  if (!ownAccounts.includes(account)) return [];
  const message = `is a role of Databridge's own account ${account}; name a role of the customer's account`;
  return [{ path: ['authentication', 'roleArn'], message }];
}
