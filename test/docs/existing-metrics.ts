/** The metrics that the services export, asked of their registries. */
import type { ControlPlaneContext } from '@databridge/control-plane/context';
import { exportIsWriter, measureRequests } from '@databridge/control-plane/observe/api-metrics';
import { StateExport } from '@databridge/control-plane/observe/state-export';
import { deliveryMetrics } from '@databridge/delivery/metrics';
import { fanOutMetrics } from '@databridge/fan-out/metrics';
import { groupCounts } from '@databridge/kernel/kafka/metrics';
import { createRegistry, exportReady } from '@databridge/kernel/metrics';
import { exportWaiting } from '@databridge/kernel/registry/metrics';
import { systemClock } from '@databridge/kernel/time/clock';

export function existingMetrics(): string[] {
  const registry = createRegistry('test');
  fanOutMetrics(registry, ['root-cause']);
  groupCounts(registry, 'fan-out');
  exportReady(registry, () => undefined);
  exportWaiting({ waitingForRegistry: 0 }, registry);
  exportIsWriter(() => true, registry);
  measureRequests({ addHook: () => undefined } as never, registry);
  new StateExport({
    ...{ context: {} as ControlPlaneContext, registry, intakeTopics: [], everyMs: 1_000 },
    isWriter: () => true,
  });
  const delivery = createRegistry('test');
  deliveryMetrics(
    delivery,
    { bufferedBytes: () => 0, customers: () => 0, customersWanted: () => 0, connections: () => 0 },
    {
      worker: 'w',
      clock: systemClock,
      eventTypes: ['root-cause'],
      shown: 'all',
      bufferedBytesLimit: 1,
      connectionsLimit: 1,
    },
  );
  return [...registry.names(), ...delivery.names()];
}
