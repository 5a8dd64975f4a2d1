/** What every part of the demo works with. */
import type { KafkaAdmin } from '@databridge/kernel/kafka/admin';
import type { KafkaSettings } from '@databridge/kernel/kafka/kafkajs/client';
import type { Environment } from './child.ts';
import type { Upstream } from './upstream.ts';

export interface Stage {
  readonly kafka: KafkaSettings;
  readonly admin: KafkaAdmin;
  readonly upstream: Upstream;
  /** For the services and the command line: addresses, retry plan, the customers' secrets. */
  readonly env: Environment;
  /** For delivery, and for the control plane. */
  readonly keys: { readonly delivery: string; readonly controlPlane: string };
}
