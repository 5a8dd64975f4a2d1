import type { CustomerLevels } from './customer-levels.ts';

/** The kinds of trouble of a customer, which may have several. */
export const TROUBLES = ['failing', 'breaker', 'retry_after', 'deauthorized', 'refusals', 'blocked'] as const;
export type Trouble = (typeof TROUBLES)[number];

export function troublesOf({ failingSinceMs, breaker, isAskedToWait, held }: CustomerLevels): Trouble[] {
  return TROUBLES.filter((trouble) => {
    switch (trouble) {
      case 'failing':
        return failingSinceMs !== undefined;
      case 'breaker':
        return breaker !== 'closed';
      case 'retry_after':
        return isAskedToWait;
      default:
        return held === trouble;
    }
  });
}
