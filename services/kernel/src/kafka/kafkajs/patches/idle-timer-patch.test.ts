import { createRequire } from 'node:module';
import { installCommitPatch } from './commit-patch.ts';
import { installFetchPatch } from './fetch-patch.ts';
import { installHeartbeatPatch } from './heartbeat-patch.ts';
import { installIdleTimerPatch } from './idle-timer-patch.ts';

installIdleTimerPatch();

const RequestQueue = createRequire(import.meta.url)('kafkajs/src/network/requestQueue');
const silent = { debug() {}, info() {}, warn() {}, error() {} };

function queue() {
  return new RequestQueue({
    maxInFlightRequests: null,
    requestTimeout: 1_000,
    enforceRequestTimeout: false,
    clientId: 'test',
    broker: 'test:9092',
    logger: silent,
  });
}

function request(correlationId: number, sendRequest: () => void) {
  return { entry: { correlationId, resolve() {}, reject() {} }, expectResponse: true, sendRequest };
}

test('an idle connection arms no timer', () => {
  const idle = queue();
  idle.push(request(1, () => {}));
  idle.fulfillRequest({ correlationId: 1, payload: null, size: 0 });
  expect(idle.throttleCheckTimeoutId).toBeNull();
});

test('a throttled request is sent after the throttle time', () => {
  jest.useFakeTimers();
  try {
    const throttled = queue();
    throttled.maybeThrottle(30);
    const sent = jest.fn();
    throttled.push(request(1, sent));
    jest.advanceTimersByTime(29);
    expect(sent).not.toHaveBeenCalled();
    jest.advanceTimersByTime(1);
    expect(sent).toHaveBeenCalledTimes(1);
  } finally {
    jest.useRealTimers();
  }
});

test('another release of kafkajs is not patched blindly', () => {
  class Changed {
    scheduleCheckPendingRequests() {
      return 'mended';
    }
    commitOffsets() {
      return 'mended';
    }
  }
  class Gone {}
  const refusal = expect.objectContaining({ code: 'DB_KAFKA_CLIENT_CHANGED' });
  for (const install of [installIdleTimerPatch, installCommitPatch, installHeartbeatPatch, installFetchPatch]) {
    expect(() => install(Changed)).toThrow(refusal);
    expect(() => install(Gone)).toThrow(refusal);
  }
});

test('patching twice changes nothing', () => {
  const once = RequestQueue.prototype.scheduleCheckPendingRequests;
  installIdleTimerPatch();
  expect(RequestQueue.prototype.scheduleCheckPendingRequests).toBe(once);
});
