import { intakeTopic, systemTopics, type TopicSpec } from '@databridge/schemas/records/topics';
import type { KafkaAdmin } from './admin/admin.ts';
import type { TopicMismatch } from './admin/topic-creation.ts';

export interface EnsuredTopics {
  readonly created: readonly string[];
  /** Topics that exist with other settings are left as they are: an operator may have changed them on purpose. */
  readonly mismatched: readonly TopicMismatch[];
}

/** The topics that the services need before there is a customer. Existing ones are only compared. */
export async function ensureSystemTopics(
  admin: Pick<KafkaAdmin, 'ensureTopics'>,
  intakeTopics: readonly string[],
): Promise<EnsuredTopics> {
  return await admin.ensureTopics(allSystemTopics(intakeTopics));
}

function allSystemTopics(intakeTopics: readonly string[]): TopicSpec[] {
  const own = systemTopics();
  // Notices are an event type whose intake topic belongs to the service itself.
  const others = intakeTopics.filter((topic) => !own.some((one) => one.topic === topic));
  return [...others.map((topic) => intakeTopic(topic)), ...own];
}

export function formatMismatch({ topic, setting, wanted, found }: TopicMismatch): string {
  return `topic ${topic}: ${setting} is ${found}, should be ${wanted}`;
}
