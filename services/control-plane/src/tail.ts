import { TopicFollower } from '@databridge/kernel/kafka/topic-follower';
import { type Attempt, decodeAttempts } from '@databridge/schemas/attempts';
import { ATTEMPTS_TOPIC } from '@databridge/schemas/topics';
import type { ControlPlaneContext } from './context.ts';

export interface TailOptions {
  /** Left out: all customers'. */
  readonly customer?: string;
  /** From then on, ms since the epoch; left out: from now on. */
  readonly fromMs?: number;
  onAttempt(customer: string, attempt: Attempt): void;
}

/** Attempts as they are made, until `stop` is called. Resolves when none that comes from now on is missed. */
export async function tailAttempts(
  { kafka }: Pick<ControlPlaneContext, 'kafka'>,
  { customer, fromMs, onAttempt }: TailOptions,
): Promise<{ stop(): Promise<void> }> {
  const follower = new TopicFollower(kafka, {
    topic: ATTEMPTS_TOPIC,
    ...(fromMs !== undefined && { fromMs }),
    onBatch({ records }) {
      for (const { key, value } of records) {
        if (value === null || (customer !== undefined && key?.toString('utf8') !== customer)) continue;
        const batch = decodeAttempts(value);
        for (const attempt of batch?.attempts ?? []) onAttempt(batch?.customer ?? '', attempt);
      }
    },
  });
  await follower.start();
  return follower;
}
