/**
 * Loaded by `--import` into a spare process of `npm run dev`. It loads the packages that services use, which takes most of
 * a start, and then waits for its turn in two steps: at `load` it loads the service's own source, as that is by then, while
 * the process that it replaces still stops; at `start` Node runs the service.
 */
import { readFileSync } from 'node:fs';
import process from 'node:process';
import { pathToFileURL } from 'node:url';

/** Declared by the kernel, the schemas and the services. A package that is missing here is loaded with the source. */
const PACKAGES = [
  '@kafkajs/confluent-schema-registry',
  '@marcbachmann/cel-js',
  '@opentelemetry/api',
  '@opentelemetry/sdk-trace',
  'fastify',
  'jose',
  'kafkajs',
  'pino',
  'prom-client',
  'undici',
  'zod',
];

const turn = Promise.withResolvers<void>();
process.on('message', (step) => {
  if (step === 'start') turn.resolve();
  else loadSource(process.argv[1] ?? '');
});
process.channel?.ref();
await Promise.allSettled(PACKAGES.map((name) => import(name)));
await turn.promise;
process.channel?.unref();

/** Loads what the service's main file imports of its own folder. What fails here fails again, visibly, in the main file. */
function loadSource(main: string): void {
  for (const [, file = ''] of readFileSync(main, 'utf8').matchAll(/ from '(\.\/[^']+)';/g)) {
    void import(new URL(file, pathToFileURL(main)).href).catch(() => undefined);
  }
}
