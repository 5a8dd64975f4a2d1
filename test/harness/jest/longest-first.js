/**
 * The order in which jest starts test files. Left to itself, it starts those of a fresh clone by their size: one that only
 * imports its tests, and takes minutes, starts last, and the other workers wait for it with nothing to do.
 */
import Sequencer from '@jest/test-sequencer';

/** Files below them take minutes; half a minute; ten seconds. Those of other folders take a second. */
const LONGEST = ['test/portal/', 'test/flow/', 'test/journeys/', 'test/contract/'];

export default class LongestFirst extends Sequencer {
  /** @override */
  sort(tests) {
    const folderOf = ({ path, context }) =>
      LONGEST.find((folder) => path.startsWith(folder, context.config.rootDir.length + 1));
    // Jest's own order in a folder: the longest of the latest run first, if it knows.
    const byFolder = Map.groupBy(super.sort([...tests]), folderOf);
    return [...LONGEST, undefined].flatMap((folder) => byFolder.get(folder) ?? []);
  }
}
