import { messageOf } from '@databridge/kernel/errors';
import type { SchemaRegistry } from '@databridge/kernel/registry/schema-registry';
import { type Finding, fault, ok, unknown } from './finding.ts';

const WANTED = 'FULL_TRANSITIVE';

/**
 * @param registry undefined if the control plane has no address of one
 * @param subjects of the configured event types
 */
export async function examineRegistry(
  registry: Pick<SchemaRegistry, 'compatibilityOf'> | undefined,
  subjects: readonly string[],
): Promise<Finding[]> {
  if (registry === undefined) {
    return [unknown('registry', 'The control plane has no SCHEMA_REGISTRY_URL.', 'Set it to have this checked.')];
  }
  try {
    const levels = await Promise.all(subjects.map((subject) => registry.compatibilityOf(subject)));
    const faults = subjects.flatMap((subject, at) => {
      const level = levels[at];
      if (level === WANTED) return [];
      return fault(
        'registry',
        `The compatibility of subject ${subject} is ${level ?? 'not set'}, and must be ${WANTED}.`,
        'Start fan-out: it sets it. If it cannot, give its registry user the right, or set it by PUT /config/<subject>.',
      );
    });
    return faults.length > 0 ? faults : [ok('registry', `It answers, and ${subjects.join(', ')} are ${WANTED}.`)];
  } catch (error) {
    return [
      fault(
        'registry',
        `The schema registry cannot be asked: ${messageOf(error)}`,
        'Check SCHEMA_REGISTRY_URL, its credentials, and that the registry runs. Events with schemas that are known already go on.',
      ),
    ];
  }
}
