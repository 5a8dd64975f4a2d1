import type { EgressPolicy } from '@databridge/kernel/egress/egress-policy';
import type { KafkaAdmin } from '@databridge/kernel/kafka/admin';
import type { KafkaSettings } from '@databridge/kernel/kafka/client';
import type { RecordProducer } from '@databridge/kernel/kafka/records';
import type { KeyRing } from '@databridge/kernel/key-ring';
import type { Logger } from '@databridge/kernel/log';

/** What the operations work with. Connected by whoever calls them: the command line, later the API. */
export interface ControlPlaneContext {
  /** For reading topics to their end. */
  readonly kafka: KafkaSettings;
  readonly admin: KafkaAdmin;
  readonly producer: RecordProducer;
  readonly keyRing: KeyRing;
  /** The lanes that a customer's topics are made for. */
  readonly retryDelays: readonly string[];
  /** Where events may be sent, as the delivery workers have it. */
  readonly egress: EgressPolicy;
  readonly log: Logger;
}
