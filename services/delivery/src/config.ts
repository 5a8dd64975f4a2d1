import { hostname } from 'node:os';
import { keyVariables } from '@databridge/kernel/secrets/key-settings';
import {
  duration,
  eventTypeVariables,
  flag,
  kafkaVariables,
  registryVariables,
  serviceVariables,
  whole,
} from '@databridge/kernel/settings/config';
import { sharedVariables, withRetryPlan } from '@databridge/kernel/settings/shared-settings';
import { tracingVariables } from '@databridge/kernel/tracing/tracing';
import { z } from 'zod';
import { proxyAddress } from './egress/egress-proxy.ts';
import { SHOWN_CUSTOMERS } from './observe/customer-book.ts';

export const deliveryVariables = z
  .object({
    ...kafkaVariables,
    ...registryVariables,
    ...serviceVariables,
    ...keyVariables,
    ...tracingVariables,
    ...sharedVariables,
    /**
     * The name of this worker in the attempt log and in status records. In a container, the default is the pod's host
     * name.
     */
    WORKER_NAME: z
      .string()
      .regex(/^[^\s\p{Cc}]{1,200}$/u, 'must be 1 to 200 characters without blanks')
      .default(hostname()),
    ...eventTypeVariables,
    /** A longer Retry-After is cut to this many ms. */
    RETRY_AFTER_CAP: duration('1h', '1s'),
    /**
     * A worker that sends no heartbeat for this long is replaced. The broker's own bounds are 6 s to 30 min by default.
     */
    SESSION_TIMEOUT: duration('10s', '1s', '30m'),
    /** Batching delay before finished offsets are committed. */
    COMMIT_INTERVAL: duration('200ms', '1ms', '10m'),
    /** The upper bound of that delay, which grows with the number of customers that have offsets to commit. */
    COMMIT_INTERVAL_MAX: duration('5s', '1ms', '10m'),
    /** A customer's status record is written at each change of its state, and at most this long after a commit. */
    STATUS_INTERVAL: duration('15s', '100ms'),
    /** The interval at which this worker reports its customers. Three missed reports count as a dead worker. */
    REPORT_INTERVAL: duration('10s', '100ms'),
    /** Memory for records that wait in their lanes, for all customers of the worker together, in MiB. */
    HELD_RECORDS_MIB: whole(32, 1, 65_536),
    /** Memory for events in flight, for all customers of the worker together, in MiB. */
    IN_FLIGHT_MIB: whole(128, 1, 65_536),
    /**
     * The limit of connections to destinations, token servers and AWS, and of requests in flight, for all customers of
     * the worker together.
     */
    MAX_CONNECTIONS: whole(4_096, 1, 1_000_000),
    /** `true`: HTTP/2 is used with destinations and token endpoints that offer it; `false`: HTTP/1.1 only. */
    EGRESS_HTTP2: flag(true),
    /**
     * A connection older than this takes no new request, so that changes of DNS and of the egress policy take effect.
     */
    CONNECTION_MAX_AGE: duration('5m', '1s', '24h'),
    /** An HTTP proxy for all outgoing requests, such as `http://user:password@proxy:3128`. */
    EGRESS_PROXY: proxyAddress.optional(),
    /** A file that contains the proxy's URL: a process's environment can be read in /proc. */
    EGRESS_PROXY_FILE: z.string().optional(),
    /** The DNS name by which customers know the service; it identifies the sender in a CloudEvents handshake. */
    WEBHOOK_ORIGIN: z
      .string()
      .regex(/^[\w-]+(\.[\w-]+)*$/, 'must be a DNS name, such as events.example.com')
      .default('databridge.events'),
    /** Which customers have series of their own: `all`, `troubled` (now or within the last hour), `none`. Totals always exist. */
    METRICS_CUSTOMERS: z
      .enum(SHOWN_CUSTOMERS, { error: `must be one of ${SHOWN_CUSTOMERS.join(', ')}` })
      .default('all'),
    BREAKER_WINDOW: duration('10s', '1s', '1h'),
    BREAKER_FAILURE_PERCENTAGE: whole(50, 1, 100),
    /** The least number of attempts in the window before failures can open the breaker. */
    BREAKER_MIN_ATTEMPTS: whole(20, 1, 100_000),
    /** The time that an open breaker waits before it probes. */
    BREAKER_RESET: duration('30s', '100ms', '1h'),
  })
  .transform(withRetryPlan);

export type DeliveryConfig = z.output<typeof deliveryVariables>;
