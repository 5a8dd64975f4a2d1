/** `npm run dev`: finds the services whose source has just changed. */
import { type FSWatcher, watch } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** Editors write a file in several steps. */
const SETTLE_MS = 100;
const SHARED = ['schemas/src', 'services/kernel/src'];

/** @param onChange receives the services to restart, once for all files that change together */
export function watchSource<Name extends string>(
  services: readonly Name[],
  onChange: (changed: readonly Name[], file: string) => void,
  root = new URL('../../../', import.meta.url),
): { close(): void } {
  const changed = new Set<Name>();
  let timer: NodeJS.Timeout | undefined;
  const watching = (folder: string, affected: readonly Name[]): FSWatcher =>
    watch(fileURLToPath(new URL(folder, root)), { recursive: true }, (_event, file) => {
      if (!isSource(file)) return;
      for (const name of affected) changed.add(name);
      clearTimeout(timer);
      timer = setTimeout(() => {
        const names = [...changed];
        changed.clear();
        onChange(names, `${folder}/${file}`);
      }, SETTLE_MS);
    });
  const watchers = [
    ...SHARED.map((folder) => watching(folder, services)),
    ...services.map((name) => watching(`services/${name}/src`, [name])),
  ];
  return {
    close() {
      clearTimeout(timer);
      for (const watcher of watchers) watcher.close();
    },
  };
}

const isSource = (file: string | null): file is string =>
  file?.endsWith('.ts') === true && !file.endsWith('.test.ts') && !file.includes('node_modules');
