import type { z } from 'zod';
import { type AdminServer, json, serveAdmin } from './admin-server.ts';
import { DatabridgeError, messageOf } from './errors.ts';
import { createLogger, type Logger } from './log.ts';
import { exportReady, type MetricsRegistry } from './metrics.ts';
import { readConfig } from './settings/config.ts';
import { systemClock } from './time/clock.ts';

/** A started service. `stop` accepts no further work, finishes requests in flight, commits and leaves its groups. */
export interface Running {
  /** Why it cannot work at present; undefined if it can. */
  notReadyBecause(): string | undefined;
  stop(): Promise<void>;
}

export interface ServiceOptions {
  readonly log: Logger;
  readonly registry: MetricsRegistry;
  readonly httpHost: string;
  readonly httpPort: number;
  readonly drainTimeoutMs: number;
  start(): Promise<Running>;
}

/**
 * Reads the service's configuration. If it has mistakes, all of them are logged, and the process ends with exit code 1.
 */
export function readServiceConfig<T>(service: string, schema: z.ZodType<T>): T {
  try {
    return readConfig(schema, process.env);
  } catch (error) {
    createLogger(service, 'fatal').fatal({ err: error }, messageOf(error));
    process.exit(1);
  }
}

/**
 * Runs a service until SIGTERM or SIGINT:
 *
 *     starting ──start()──▶ running ──signal──▶ draining ──stop()──▶ exit 0
 *         │ fails               │ uncaught error     │ longer than drainTimeoutMs
 *         └──────▶ exit 1       └──────▶ exit 1      └──────▶ exit 1
 *
 * `/healthz` answers 200 while the process lives, `/readyz` 200 only while it is running and ready, `/metrics` in
 * Prometheus' text format.
 */
export async function runService(options: ServiceOptions): Promise<void> {
  const { log } = options;
  let running: Running | undefined;
  let isDraining = false;

  const reason = () => (isDraining ? 'draining' : running === undefined ? 'starting' : running.notReadyBecause());
  exportReady(options.registry, reason);

  let admin: AdminServer | undefined;
  const routes = {
    '/healthz': () => json(200, { status: 'ok' }),
    '/readyz': () => {
      const because = reason();
      return json(because === undefined ? 200 : 503, { status: because ?? 'ready' });
    },
    '/metrics': () => ({ status: 200, contentType: options.registry.contentType, body: options.registry.parts() }),
  };

  const fail = (error: unknown) => {
    log.fatal({ event: 'process_ended', err: error }, messageOf(error));
    process.exit(1);
  };
  const drain = async (signal: NodeJS.Signals) => {
    if (isDraining) return;
    isDraining = true;
    log.info({ signal }, 'draining');
    systemClock.after(
      options.drainTimeoutMs,
      () => {
        fail(
          new DatabridgeError(
            'DB_STOP_TIMED_OUT',
            `The service did not stop within ${options.drainTimeoutMs} ms (DRAIN_TIMEOUT) and was ended; what was not finished is done again`,
          ),
        );
      },
      { isBackground: true },
    );
    await running?.stop();
    await admin?.close();
    log.info('stopped');
    process.exit(0);
  };
  process.on('uncaughtException', fail);
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => void drain(signal).catch(fail));

  try {
    admin = await serveAdmin({ host: options.httpHost, port: options.httpPort }, routes, log);
    log.info({ address: admin.address, httpPort: admin.port }, 'starting');
    running = await options.start();
    log.info('started');
  } catch (error) {
    if (!isDraining) fail(error);
  }
}
