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
  return await pythonEnvironment('python-2', REQUIREMENTS);
}

/**
 * A virtual environment, made once. Programs in it contain its path, so it is made where it stays, and only its marker is renamed.
 * @param name with a number that changes when the requirements do
 */
export async function pythonEnvironment(
  name: string,
  requirements: readonly string[],
): Promise<(program: string) => string> {
  const home = await cached(name, async (dir) => {
    const environment = join(dir, '..', `${name}-environment`);
    await command('python3', ['-m', 'venv', '--clear', environment]);
    const pip = join(environment, 'bin', 'pip');
    await command(pip, ['install', '--quiet', '--disable-pip-version-check', ...requirements]);
  });
  return (program) => join(home, '..', `${name}-environment`, 'bin', program);
}
