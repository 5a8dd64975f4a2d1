import type { ListedSubscription } from '@databridge/schemas/api/types';
import type { Columns } from '../output/print.ts';

/** The columns that show where the events of a subscription are sent, how authenticated, and how fast. */
export async function destinationColumns(): Promise<Columns<ListedSubscription>> {
  // Loaded only by the commands that need it: every other starts faster without.
  const { DESTINATION_KINDS } = await import('@databridge/schemas/destination/destinations');
  return {
    DESTINATION: ({ destination }) =>
      `${destination.type} ${DESTINATION_KINDS.get(destination.type)?.label(destination) ?? ''}`,
    AUTHENTICATION: ({ authentication }) => authentication.type,
    RATE: ({ ratePerSecond }) => (ratePerSecond === undefined ? '' : `${ratePerSecond}/s`),
  };
}
