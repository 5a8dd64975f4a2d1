/** The context that every part of the demo works with. */
import type { KafkaAdmin } from '@databridge/kernel/kafka/admin/admin';
import type { KafkaSettings } from '@databridge/kernel/kafka/kafkajs/client';
import type { Environment } from './child.ts';
import type { Upstream } from './upstream.ts';

export interface Stage {
  readonly kafka: KafkaSettings;
  readonly admin: KafkaAdmin;
  readonly upstream: Upstream;
  /** The environment of services and command line: addresses, retry plan, the customers' secrets. */
  readonly env: Environment;
  /** The key rings of delivery and of the control plane. */
  readonly keys: { readonly delivery: string; readonly controlPlane: string };
}
