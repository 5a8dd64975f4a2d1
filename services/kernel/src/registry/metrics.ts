import { Gauge, type Registry } from 'prom-client';
import type { EventReaders } from './event-readers.ts';

/** Exports the number of schemas that are waited for. */
export function exportWaiting(readers: Pick<EventReaders, 'waitingForRegistry'>, registry: Registry): void {
  new Gauge({
    name: 'databridge_registry_waiting',
    help: 'Schemas that events wait for because the schema registry does not answer',
    registers: [registry],
    collect() {
      this.set(readers.waitingForRegistry);
    },
  });
}
