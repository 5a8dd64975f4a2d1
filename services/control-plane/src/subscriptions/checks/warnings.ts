/**
 * Warnings about a subscription that is saved nevertheless: names and certificates change, and differ between networks.
 */

import { type LookupAddress, lookup } from 'node:dns';
import { connect, isIP } from 'node:net';
import { promisify } from 'node:util';
import { EgressPolicy } from '@databridge/kernel/egress/egress-policy';
import { systemClock } from '@databridge/kernel/time/clock';
import { ceilingsOf } from '@databridge/schemas/rights/ceilings';
import type { Issue } from '@databridge/schemas/subscription/issue-words';
import { matchesEveryCompany } from '@databridge/schemas/subscription/routing';
import { mapSecrets } from '@databridge/schemas/subscription/secret-places';
import { isPlaceholder } from '@databridge/schemas/subscription/secret-rules';
import type { Subscription } from '@databridge/schemas/subscription/subscription';
import { validityWarning } from '@databridge/schemas/subscription/tls-identity';
import { outgoingUrls } from './outgoing-urls.ts';

export interface SubscriptionWarning extends Issue {
  readonly customer: string;
}

/** The same interface as `dns.promises.lookup` with `all`. */
export type LookUp = (hostname: string) => Promise<readonly LookupAddress[]>;
/** Resolves when one of the addresses accepts a connection; nothing is sent. Gives up by the signal. */
export type Dial = (addresses: readonly LookupAddress[], port: number, signal: AbortSignal) => Promise<void>;

export interface Surroundings {
  readonly lookUp?: LookUp;
  readonly dial?: Dial;
  readonly nowMs?: number;
}

/** Distinguishes internal addresses, which operators may allow, from public ones. */
const PUBLIC_ONLY = new EgressPolicy({ allowCidrs: [], denyCidrs: [], allowHttp: true });

/** Short, because a person waits for the result. */
const PATIENCE_MS = 3_000;

/** Never rejects. The delivery workers decide in the end: the customer's status shows their result. */
export async function warningsOf(
  subscriptions: readonly Subscription[],
  policy: EgressPolicy,
  { lookUp = systemLookUp, dial = systemDial, nowMs = systemClock.nowMs() }: Surroundings = {},
): Promise<SubscriptionWarning[]> {
  const judged = new Map<string, Promise<string | undefined>>();
  const judgeOnce = (url: URL) => {
    const known = judged.get(url.origin) ?? judge(url, policy, lookUp, dial);
    judged.set(url.origin, known);
    return known;
  };
  const found = subscriptions.map(async (subscription) => {
    const { customer, tls = {} } = subscription;
    const hosts = outgoingUrls(subscription)
      // A permanent refusal is an error, and the address is not dialed.
      .filter(({ url }) => policy.urlRefusal(url) === undefined)
      .map(async ({ path, url }) => ({ path, message: await judgeOnce(url) }));
    const certificates = (['clientCertificate', 'ca'] as const).map((name) => {
      const pem = tls[name];
      return { path: ['tls', name], message: pem === undefined ? undefined : validityWarning(pem, nowMs) };
    });
    return [...(await Promise.all(hosts)), ...certificates].flatMap(({ path, message }) =>
      message === undefined ? [] : [{ customer, path: [...path], message }],
    );
  });
  return (await Promise.all(found)).flat();
}

/** Effects of a setting that may not be intended; reported when it is saved and in the customer's status. */
export function settingWarnings(subscription: Subscription): Issue[] {
  const { match, ratePerSecond = 0, maxInFlight } = subscription;
  const ceilings = ceilingsOf(subscription);
  const above = (name: 'ratePerSecond' | 'maxInFlight', value: number): Issue[] => {
    const limit = ceilings[name];
    if (value <= limit) return [];
    return [{ path: [name], message: `is ${value}, above ceilings.${name}: at most ${limit} counts` }];
  };
  const everything = {
    path: ['match'],
    message: 'matches every company: the customer gets the events of all companies',
  };
  const placeholders: Issue[] = [];
  mapSecrets(subscription, (secret, place) => {
    const message = 'looks like a placeholder that was not filled in; it is sent as it is';
    if (isPlaceholder(secret)) placeholders.push({ path: place.split('.'), message });
  });
  return [
    ...(matchesEveryCompany(match) ? [everything] : []),
    ...placeholders,
    ...blankIssues(match),
    ...above('ratePerSecond', ratePerSecond),
    ...above('maxInFlight', maxInFlight),
  ];
}

/** Texts are compared as they are: what was copied with a blank around it would match nothing, and nobody would notice. */
function blankIssues(match: Subscription['match']): Issue[] {
  return Object.entries(match).flatMap(([field, values]) =>
    (Array.isArray(values) ? (values as readonly string[]) : []).flatMap((value, index) => {
      if (value === value.trim()) return [];
      const message = 'begins or ends with a blank: it matches only events that have the same blank there';
      return [{ path: ['match', field, index], message }];
    }),
  );
}

async function judge(
  { hostname, port, protocol }: URL,
  policy: EgressPolicy,
  lookUp: LookUp,
  dial: Dial,
): Promise<string | undefined> {
  const host = hostname.replace(/^\[|\]$/g, '');
  const signal = AbortSignal.timeout(PATIENCE_MS);
  let step = "can't be resolved";
  let isInternal = false;
  try {
    const addresses =
      isIP(host) === 0 ? await orTimeout(lookUp(host), signal) : [{ address: host, family: isIP(host) }];
    for (const { address } of addresses) {
      const refusal = policy.addressRefusal(address);
      // The kind of refusal is shown, the address is not: customers must not learn internal names.
      if (refusal !== undefined) {
        return `${host} has an address that may not be sent to: it ${refusal}; events wait until that changes`;
      }
    }
    isInternal = addresses.some(({ address }) => PUBLIC_ONLY.addressRefusal(address) !== undefined);
    step = 'accepts no connection';
    await orTimeout(dial(addresses, Number(port) || (protocol === 'https:' ? 443 : 80), signal), signal);
    return undefined;
  } catch (error) {
    const why = signal.aborted
      ? `nothing within ${PATIENCE_MS / 1_000} s`
      : ((error as NodeJS.ErrnoException).code ?? 'it failed');
    // The answer does not reveal either whether an internal port is closed, filtered or open.
    if (isInternal) return `${host} can't be reached from the control plane; events wait until that changes`;
    return `${host} ${step} from the control plane (${why}); events wait until that changes`;
  }
}

async function orTimeout<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  const late = Promise.withResolvers<never>();
  const giveUp = () => late.reject(signal.reason);
  signal.addEventListener('abort', giveUp, { once: true });
  try {
    // biome-ignore lint/plugin: both are made for one check, which has a time-out.
    return await Promise.race([promise, late.promise]);
  } finally {
    signal.removeEventListener('abort', giveUp);
  }
}

const systemLookUp: LookUp = (hostname) => promisify(lookup)(hostname, { all: true });

/** The addresses that were checked are those that are dialed: the name is not resolved again. */
const systemDial: Dial = (addresses, port, signal) =>
  new Promise((resolve, reject) => {
    const judged = addresses.map(({ address, family }) => ({ address, family }));
    const socket = connect({
      ...{ host: 'judged', port, signal, autoSelectFamily: true },
      lookup: (_name, _options, callback) => callback(null, judged),
    });
    socket.once('error', reject);
    socket.once('connect', () => {
      socket.destroy();
      resolve();
    });
  });
