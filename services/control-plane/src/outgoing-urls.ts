/** The URLs that a subscription makes us open, judged when it is saved: by what they say, and by what they mean today. */
import { type LookupAddress, lookup } from 'node:dns';
import { isIP } from 'node:net';
import { promisify } from 'node:util';
import type { EgressPolicy } from '@databridge/kernel/egress/egress-policy';
import type { Issue } from '@databridge/schemas/issue-words';
import type { Subscription } from '@databridge/schemas/subscription';

interface OutgoingUrl {
  readonly path: (string | number)[];
  readonly url: URL;
}

/** Wherever a subscription may hold one. Left out here, a URL is still judged when it is dialled. */
const PLACES = ['destination.url', 'destination.endpoint', 'destination.queueUrl', 'authentication.tokenUrl'];

function outgoingUrls(subscription: Subscription): OutgoingUrl[] {
  return PLACES.flatMap((place) => {
    const path = place.split('.');
    const text = path.reduce<unknown>(
      (value, key) => (value as Record<string, unknown> | undefined)?.[key],
      subscription,
    );
    const url = typeof text === 'string' ? URL.parse(text) : null;
    return url === null ? [] : [{ path, url }];
  });
}

/** What will never be sent to, as its URL shows: a private address, plain http where it is not allowed, a port. */
export function egressIssues(subscription: Subscription, policy: EgressPolicy): Issue[] {
  return outgoingUrls(subscription).flatMap(({ path, url }) => {
    const refusal = policy.urlRefusal(url);
    return refusal === undefined ? [] : [{ path, message: refusal }];
  });
}

export interface HostWarning {
  readonly customer: string;
  /** Completes "`<customer>`: …". */
  readonly message: string;
}

/** As `dns.promises.lookup` with `all`. */
export type LookUp = (hostname: string) => Promise<readonly LookupAddress[]>;

/** A person waits for it. */
const LOOK_UP_TIMEOUT_MS = 3_000;
const systemLookUp: LookUp = (hostname) => promisify(lookup)(hostname, { all: true });

/**
 * Names that can't be resolved, or lead where nothing may be sent, as it looks from here and now. Warnings, since
 * names change, and mean something else to the delivery workers perhaps: what counts is what they find.
 */
export async function hostWarnings(
  subscriptions: readonly Subscription[],
  policy: EgressPolicy,
  lookUp: LookUp = systemLookUp,
): Promise<HostWarning[]> {
  const judged = new Map<string, Promise<string | undefined>>();
  const judgeOnce = (hostname: string) => {
    const known = judged.get(hostname) ?? judge(hostname, policy, lookUp);
    judged.set(hostname, known);
    return known;
  };
  const found = subscriptions.flatMap((subscription) =>
    outgoingUrls(subscription)
      .filter(({ url }) => isIP(url.hostname) === 0 && !url.hostname.startsWith('['))
      .map(async ({ path, url }) => {
        const warning = await judgeOnce(url.hostname);
        if (warning === undefined) return [];
        return [{ customer: subscription.customer, message: `${path.join('.')}: ${url.hostname} ${warning}` }];
      }),
  );
  return (await Promise.all(found)).flat();
}

async function judge(hostname: string, policy: EgressPolicy, lookUp: LookUp): Promise<string | undefined> {
  const timer = Promise.withResolvers<never>();
  const timeout = setTimeout(() => timer.reject(new Error('no answer in time')), LOOK_UP_TIMEOUT_MS);
  try {
    for (const { address } of await Promise.race([lookUp(hostname), timer.promise])) {
      const refusal = policy.addressRefusal(address);
      if (refusal !== undefined) return `leads to ${address}, which ${refusal}: events wait until that changes`;
    }
    return undefined;
  } catch (error) {
    return `can't be resolved from here (${(error as NodeJS.ErrnoException).code ?? (error as Error).message}): events wait until it can`;
  } finally {
    clearTimeout(timeout);
  }
}
