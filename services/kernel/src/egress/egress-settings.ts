import { z } from 'zod';
import { flag } from '../settings/config.ts';
import { isCidr } from './cidr-list.ts';
import { EgressPolicy } from './egress-policy.ts';

function cidrs() {
  return z
    .string()
    .default('')
    .transform((text, context) => {
      const given = text
        .split(',')
        .map((one) => one.trim())
        .filter((one) => one !== '');
      for (const one of given.filter((text) => !isCidr(text))) {
        const message = `"${one}" is not a range such as 10.1.0.0/16 or fd12:3456::/32 (no bits set past the prefix)`;
        context.addIssue({ code: 'custom', message });
      }
      return given;
    });
}

/**
 * The variables of every service that sends to customers, or checks whether it could. By default, no private address is
 * allowed.
 */
export const egressVariables = {
  /** Ranges that may be sent to although they are not public, separated by commas: private peers, loopback in tests. */
  EGRESS_ALLOW_CIDRS: cidrs(),
  /**
   * Ranges that may not be sent to although they are public: those of your own network. They override
   * EGRESS_ALLOW_CIDRS.
   */
  EGRESS_DENY_CIDRS: cidrs(),
  /** `true`: plain http may be used; otherwise only https. */
  EGRESS_ALLOW_HTTP: flag(false),
} as const;

/** For callers that read no other settings. */
export const egressSettings = z.object(egressVariables);

export interface EgressVariables {
  readonly EGRESS_ALLOW_CIDRS: readonly string[];
  readonly EGRESS_DENY_CIDRS: readonly string[];
  readonly EGRESS_ALLOW_HTTP: boolean;
}

export function egressPolicy(variables: EgressVariables): EgressPolicy {
  return new EgressPolicy({
    allowCidrs: variables.EGRESS_ALLOW_CIDRS,
    denyCidrs: variables.EGRESS_DENY_CIDRS,
    allowHttp: variables.EGRESS_ALLOW_HTTP,
  });
}

/** The policy for programs that run everything on one machine: demo, local platform, tests. */
export const LOOPBACK_EGRESS = { EGRESS_ALLOW_CIDRS: '127.0.0.0/8,::1/128', EGRESS_ALLOW_HTTP: 'true' } as const;
