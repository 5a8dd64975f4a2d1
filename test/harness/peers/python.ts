import { join } from 'node:path';
import { cached, command } from './peers-cache.ts';

const REQUIREMENTS = [
  'moto[server]==5.2.5',
  'botocore==1.44.5',
  'standardwebhooks==1.1.0',
  'cryptography==50.0.2',
  'schemathesis==4.32.5',
];

/** A virtual environment with what the peers in Python need. @returns a function from a program's name to its path */
export async function python(): Promise<(program: string) => string> {
  // Programs of a virtual environment hold its path: it is made where it stays, so the marker is what is renamed.
  const home = await cached('python-2', async (dir) => {
    const environment = join(dir, '..', 'python-2-environment');
    await command('python3', ['-m', 'venv', '--clear', environment]);
    await command(join(environment, 'bin', 'pip'), [
      'install',
      '--quiet',
      '--disable-pip-version-check',
      ...REQUIREMENTS,
    ]);
  });
  return (program) => join(home, '..', 'python-2-environment', 'bin', program);
}
