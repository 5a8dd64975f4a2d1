import { setTimeout as delay } from 'node:timers/promises';
import { DatabridgeError, messageOf } from '@databridge/kernel/errors';
import type { Logger } from '@databridge/kernel/log';
import type { SchemaRegistry } from '@databridge/kernel/registry/schema-registry';
import type { EventType } from '@databridge/schemas/event/event-types';

const RETRY_AFTER_MS = 5_000;

/**
 * Gives the registry the pinned schemas, and the rule that later ones must keep to, before producers find out what
 * goes. Nothing waits for it: events can be read as soon as the registry knows the schemas that they were written with.
 * A schema that the registry refuses is an error for a person: producers have agreed on something else.
 */
export async function registerSchemas(
  registry: Pick<SchemaRegistry, 'ensureCompatibility' | 'register'>,
  eventTypes: readonly EventType[],
  log: Logger,
  signal: AbortSignal,
): Promise<void> {
  for (const { name, subject, schemaJson } of eventTypes) {
    while (!signal.aborted) {
      try {
        await registry.ensureCompatibility(subject);
        const schemaId = await registry.register(subject, schemaJson);
        log.info({ eventType: name, subject, schemaId }, 'schema registered');
        break;
      } catch (error) {
        const mayHeal = error instanceof DatabridgeError && error.retryable;
        log[mayHeal ? 'warn' : 'error'](
          { eventType: name, subject, reason: messageOf(error) },
          'schema not registered',
        );
        if (!mayHeal) break;
        await delay(RETRY_AFTER_MS, undefined, { signal }).catch(() => undefined);
      }
    }
  }
}
