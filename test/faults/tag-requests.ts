/**
 * Loaded into a worker before its own code: each request to a destination names the worker that sent it, so that a
 * receiver can tell a zombie's from its successor's.
 */
import { subscribe } from 'node:diagnostics_channel';
import process from 'node:process';

const worker = process.env['WORKER_NAME'] ?? '';
subscribe('undici:request:create', (message) => {
  (message as { request: { addHeader(name: string, value: string): void } }).request.addHeader('x-worker', worker);
});
