import kafkajs from 'kafkajs';
import type { AdminClient } from './admin-client.ts';
import { isAsWanted, settingChangesOf, type TopicSettingChanges } from './topic-setting-changes.ts';

/** Kafka's `ConfigSource.TOPIC_CONFIG`: the setting belongs to the topic itself, and is not inherited. */
const TOPICS_OWN: number = 1;

/** Reads and changes the settings of existing topics. Every method throws a `KafkaPortError`. */
export class TopicSettings {
  readonly #client: AdminClient;
  #changing: Promise<unknown> = Promise.resolve();

  constructor(client: AdminClient) {
    this.#client = client;
  }

  /** The settings of the topics themselves, by name, without those that they inherit from the broker. */
  async read(topics: readonly string[]): Promise<Map<string, Record<string, string>>> {
    if (topics.length === 0) return new Map();
    const { resources } = await this.#client.call('describe topics', (admin) =>
      admin.describeConfigs({
        includeSynonyms: false,
        resources: topics.map((name) => ({ type: kafkajs.ConfigResourceTypes.TOPIC, name })),
      }),
    );
    return new Map(
      resources.map(({ resourceName, configEntries }) => {
        const own = configEntries.filter(({ configSource }) => configSource === TOPICS_OWN);
        return [resourceName, Object.fromEntries(own.map(({ configName, configValue }) => [configName, configValue]))];
      }),
    );
  }

  /**
   * Changes some of the topics' own settings and leaves the others. One call at a time: each reads all settings and writes
   * them again, so it resolves only when the brokers answer with the new ones.
   * @param changes null: the topic inherits the broker's value again
   * @param always also of topics that seem to have these values: another broker may know of a change before
   * @returns the topics that were changed
   */
  async change(topics: readonly string[], changes: TopicSettingChanges, always = false): Promise<string[]> {
    const changing = this.#changing.then(() => this.#changeNow(topics, changes, always));
    this.#changing = changing.catch(() => undefined);
    return await changing;
  }

  async #changeNow(topics: readonly string[], changes: TopicSettingChanges, always: boolean): Promise<string[]> {
    const all = [...(await this.read(topics))];
    const found = new Map(all.filter(([, before]) => always || !isAsWanted(before, changes)));
    if (found.size === 0) return [];
    const resources = settingChangesOf(found, changes);
    await this.#client.call('change topic settings', (admin) => admin.alterConfigs({ validateOnly: false, resources }));
    await this.#client.until('the topics have their settings', async () => {
      const now = await this.read([...found.keys()]);
      return [...now.values()].every((settings) => isAsWanted(settings, changes));
    });
    return [...found.keys()];
  }
}
