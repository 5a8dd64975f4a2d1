import kafkajs, { type IResourceConfig } from 'kafkajs';

/** Values by setting; null: the topic's own value is removed, so that it inherits the broker's again. */
export type TopicSettingChanges = Readonly<Record<string, string | null>>;
type Settings = Readonly<Record<string, string>>;

/** Returns whether the settings of a topic already have the values of the changes. */
export function isAsWanted(settings: Settings, changes: TopicSettingChanges): boolean {
  return Object.entries(changes).every(([name, value]) => isSame(settings[name] ?? null, value));
}

/** Kafka writes numbers in its own way: 0 as 0.0. */
function isSame(found: string | null, wanted: string | null): boolean {
  if (found === wanted) return true;
  return found !== null && wanted !== null && Number(found) === Number(wanted);
}

/**
 * The request that changes some settings of topics and leaves the others. It replaces all that a topic has of its own:
 * what is left out falls back to the broker's.
 */
export function settingChangesOf(
  found: ReadonlyMap<string, Settings>,
  changes: TopicSettingChanges,
): IResourceConfig[] {
  return [...found].map(([name, before]) => ({
    type: kafkajs.ConfigResourceTypes.TOPIC,
    name,
    configEntries: Object.entries({ ...before, ...changes }).flatMap(([key, value]) =>
      value === null ? [] : [{ name: key, value }],
    ),
  }));
}
