/** The settings that a customer states when it is set up: checked like every subscription, and paused until approved. */
import { DatabridgeError } from '@databridge/kernel/errors';
import { endpointOf } from '@databridge/schemas/destination/aws/region';
import type { Destination } from '@databridge/schemas/destination/destinations';
import type { Invitation } from '@databridge/schemas/records/invitations';
import { mapSecrets, SECRET_MASK } from '@databridge/schemas/subscription/secret-places';
import { formatIssues, parseSubscription, type Subscription } from '@databridge/schemas/subscription/subscription';
import type { ControlPlaneContext } from '../context.ts';
import { applySubscriptions } from '../subscriptions/apply.ts';
import type { Written } from '../subscriptions/changes.ts';

/** In these, a secret is the mask; its seal is separate. */
export interface Setup {
  readonly destination: unknown;
  readonly authentication: unknown;
  readonly tls?: unknown;
  readonly signing?: unknown;
  readonly ratePerSecond?: number | undefined;
}

/**
 * @throws {DatabridgeError} DB_INPUT_INVALID; DB_CONFLICT if the customer was set up in another way, or approved, in
 *   the meantime
 */
export async function applySetup(
  context: ControlPlaneContext,
  invitation: Invitation,
  { setup, secrets }: { readonly setup?: Setup | undefined; readonly secrets: Readonly<Record<string, string>> },
  alongside: readonly Written[],
): Promise<void> {
  const { customer, grant, hosts } = invitation;
  if (setup === undefined) throw new DatabridgeError('DB_INPUT_INVALID', 'The destination is missing');
  const before = (await context.subscriptions()).get(customer);
  if (before !== undefined && before.awaitsApproval !== true) {
    throw new DatabridgeError('DB_CONFLICT', 'The set-up was approved, or made by somebody else, in the meantime');
  }
  const { destination, authentication, tls, signing, ratePerSecond } = setup;
  const stated = { destination, authentication, tls, signing, ratePerSecond };
  const given = Object.fromEntries(Object.entries(stated).filter(([, value]) => value !== undefined));
  const parsed = parseSubscription({ ...grant, ...given, customer, state: 'paused' });
  if (!parsed.ok) throw new DatabridgeError('DB_INPUT_INVALID', formatIssues(parsed.issues));
  refuseOtherSecrets(parsed.subscription, secrets);
  if (hosts !== undefined) refuseOtherHosts(parsed.subscription, hosts);
  await applySubscriptions(context, [{ subscription: parsed.subscription, sets: [] }], 'operator', {
    sealed: new Map(Object.entries(secrets)),
    awaitsApproval: true,
    detail: { invitation: invitation.id },
    alongside,
  });
}

/** Every secret has a seal, and every seal belongs to a secret. */
function refuseOtherSecrets(subscription: Subscription, secrets: Readonly<Record<string, string>>): void {
  const left = new Set(Object.keys(secrets));
  const issues: string[] = [];
  mapSecrets(subscription, (secret, place) => {
    if (secret !== SECRET_MASK) issues.push(`${place} is not sealed`);
    else if (!left.delete(place)) issues.push(`${place} is missing`);
  });
  for (const place of left) issues.push(`${place} has no place in what was stated`);
  if (issues.length > 0) throw new DatabridgeError('DB_INPUT_INVALID', issues.join('; '));
}

/** Of an ARN, the host is that of its service and region. */
function hostOf(destination: Destination): string {
  switch (destination.type) {
    case 'sqs':
      return new URL(destination.queueUrl).hostname;
    case 'sns':
      return endpointOf(destination.topicArn, destination.endpoint).hostname;
    case 'eventbridge':
      return endpointOf(destination.eventBusArn, destination.endpoint).hostname;
    case 'email':
      return destination.host.toLowerCase();
    default:
      return new URL(destination.url).hostname;
  }
}

function refuseOtherHosts({ destination, authentication }: Subscription, hosts: readonly string[]): void {
  const ofTokens = authentication.type === 'oauth' ? [new URL(authentication.tokenUrl).hostname] : [];
  const named = [hostOf(destination), ...ofTokens];
  const other = named.filter((host) => !hosts.some((allowed) => isHost(host, allowed.toLowerCase())));
  if (other.length === 0) return;
  throw new DatabridgeError(
    'DB_INPUT_INVALID',
    `The host ${other.join(', ')} is not among those that this link is for: ${hosts.join(', ')}`,
  );
}

const isHost = (host: string, allowed: string) =>
  allowed.startsWith('*.') ? host.endsWith(allowed.slice(1)) : host === allowed;
