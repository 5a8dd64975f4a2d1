import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { cached, command } from './peers-cache.ts';

/**
 * Programs of Debian packages, unpacked into the cache: nothing is installed, no root is needed.
 * @param name of the program
 * @param packages those that a plain Debian has not, dependencies included
 */
export async function debian(name: string, packages: readonly string[], folder: 'bin' | 'sbin' = 'sbin') {
  const home = await cached(`debian-${name}`, async (dir) => {
    await command('apt-get', ['download', ...packages], dir);
    for (const file of await readdir(dir)) {
      if (file.endsWith('.deb')) await command('dpkg-deb', ['--extract', join(dir, file), join(dir, 'root')]);
    }
  });
  const root = join(home, 'root');
  return {
    program: join(root, 'usr', folder, name),
    env: { LD_LIBRARY_PATH: join(root, 'usr', 'lib', `${process.arch === 'arm64' ? 'aarch64' : 'x86_64'}-linux-gnu`) },
  };
}
