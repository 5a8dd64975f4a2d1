import { createRequire } from 'node:module';
import { patchMethod } from './patch-method.ts';

interface RequestQueue {
  throttledUntil: number;
  throttleCheckTimeoutId: NodeJS.Timeout | null;
  readonly pending: readonly unknown[];
  checkPendingRequests(): void;
}

const EXPECTED_SOURCE = `scheduleCheckPendingRequests() {
    let scheduleAt = this.throttledUntil - Date.now()
    if (!this.throttleCheckTimeoutId) {
      if (this.pending.length > 0) {
        scheduleAt = scheduleAt > 0 ? scheduleAt : CHECK_PENDING_REQUESTS_INTERVAL
      }
      this.throttleCheckTimeoutId = setTimeout(() => {
        this.throttleCheckTimeoutId = null
        this.checkPendingRequests()
      }, scheduleAt)
    }
  }`;

/** kafkajs's own interval. */
const CHECK_PENDING_REQUESTS_INTERVAL_MS = 10;

function scheduleCheckPendingRequests(this: RequestQueue): void {
  if (this.pending.length === 0 || this.throttleCheckTimeoutId !== null) return;
  const throttledForMs = this.throttledUntil - Date.now();
  this.throttleCheckTimeoutId = setTimeout(
    () => {
      this.throttleCheckTimeoutId = null;
      this.checkPendingRequests();
    },
    throttledForMs > 0 ? throttledForMs : CHECK_PENDING_REQUESTS_INTERVAL_MS,
  );
}

/**
 * kafkajs 2.2.4 lets every connection re-arm a timer each millisecond though no request waits (its open issues 1704
 * and 1751): 1,000 idle consumers burn most of a core, and Node 24 warns of the negative delay. Ours arms one only
 * while a request waits.
 *
 * @throws {KafkaPortError} `DB_KAFKA_CLIENT_CHANGED`
 */
export function installIdleTimerPatch(
  requestQueue: { name: string; prototype: object } = createRequire(import.meta.url)(
    'kafkajs/src/network/requestQueue',
  ),
): void {
  patchMethod(requestQueue, 'scheduleCheckPendingRequests', EXPECTED_SOURCE, scheduleCheckPendingRequests);
}
