import kafkajs, { type IResourceConfig } from 'kafkajs';

/** By name; null: what the topic has of its own is removed, so that it inherits the broker's value again. */
export type TopicSettingChanges = Readonly<Record<string, string | null>>;

/**
 * What to ask of Kafka to change some settings of topics and leave the others. The request replaces all that a topic has
 * of its own: what is left out of it falls back to the broker's.
 * @param found the topics' own settings @returns those of the topics that have other values
 */
export function settingChangesOf(
  found: ReadonlyMap<string, Readonly<Record<string, string>>>,
  changes: TopicSettingChanges,
): IResourceConfig[] {
  return [...found]
    .filter(([, before]) => Object.entries(changes).some(([name, value]) => (before[name] ?? null) !== value))
    .map(([name, before]) => ({
      type: kafkajs.ConfigResourceTypes.TOPIC,
      name,
      configEntries: Object.entries({ ...before, ...changes }).flatMap(([key, value]) =>
        value === null ? [] : [{ name: key, value }],
      ),
    }));
}
