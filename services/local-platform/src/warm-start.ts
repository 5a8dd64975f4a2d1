/**
 * Loaded by `--import` into a spare process of `npm run dev`: it loads the packages that every service uses, which takes most
 * of a start, and then waits for its turn before Node runs the service's own source, as that is by then.
 */
import { once } from 'node:events';

/** Declared by the kernel and the schemas. A package that is missing here is loaded when the service starts. */
const PACKAGES = [
  '@kafkajs/confluent-schema-registry',
  '@opentelemetry/api',
  'fastify',
  'kafkajs',
  'pino',
  'prom-client',
  'undici',
  'zod',
];

const turn = once(process, 'message');
process.channel?.ref();
await Promise.allSettled(PACKAGES.map((name) => import(name)));
await turn;
process.channel?.unref();
