import { installIdleTimerPatch } from '@databridge/kernel/kafka/kafkajs/patches/idle-timer-patch';
import { Kafka, logLevel } from 'kafkajs';

// Not for the test's sake: without it Node warns of negative time-outs in every run.
installIdleTimerPatch();

/** Plain kafkajs, as others use it: what tests produce and inspect with is not what they test. */
export function upstreamKafka(brokers: string[]): Kafka {
  return new Kafka({ clientId: 'upstream', brokers, logLevel: logLevel.NOTHING });
}
