import { DatabridgeError } from '@databridge/kernel/errors';
import type { Logger } from '@databridge/kernel/log';
import type { SchemaRegistry } from '@databridge/kernel/registry/schema-registry';
import type { BackoffLimits } from '@databridge/kernel/time/backoff';
import { retry } from '@databridge/kernel/time/retry';
import type { EventType } from '@databridge/schemas/event/event-types';

const BACKOFF: BackoffLimits = { firstMs: 500, longestMs: 10_000 };

/**
 * Gives the registry the pinned schemas, and the compatibility rule for later ones, before producers register theirs.
 * Nothing waits for it: events can be read as soon as the registry knows the schemas that they were written with. A
 * schema that the registry refuses is an error for a person to resolve: producers have registered an incompatible one.
 */
export async function registerSchemas(
  registry: Pick<SchemaRegistry, 'ensureCompatibility' | 'register'>,
  eventTypes: readonly EventType[],
  log: Logger,
  signal: AbortSignal,
): Promise<void> {
  for (const { name, subject, schemaJson } of eventTypes) {
    const attempt = async () => {
      await registry.ensureCompatibility(subject);
      return await registry.register(subject, schemaJson);
    };
    const facts = (error: unknown) => ({ eventType: name, subject, err: error });
    try {
      const schemaId = await retry(attempt, {
        ...{ limits: BACKOFF, signal },
        isRetryable: (error) => error instanceof DatabridgeError && error.retryable,
        onFailure: (error, retryInMs) =>
          log.warn(
            { event: 'schema_not_registered', ...facts(error), retryInMs },
            'schema not registered; trying again',
          ),
      });
      log.info({ eventType: name, subject, schemaId }, 'schema registered');
    } catch (error) {
      if (!signal.aborted) log.error({ event: 'schema_not_registered', ...facts(error) }, 'schema not registered');
    }
  }
}
