import { backlog, heldRetries } from './backlog.ts';
import { customers } from './customers.ts';
import { deliver } from './deliver.ts';
import { deliverSlow } from './deliver-slow.ts';
import { fanOut, fanOutMany } from './fan-out.ts';
import { growth } from './growth.ts';
import { idle, start } from './idle.ts';
import { isolation } from './isolation.ts';
import { latency, latencyMany } from './latency.ts';
import { path } from './path.ts';
import { punctuality } from './punctuality.ts';
import type { Row } from './row.ts';
import { scrape } from './scrape.ts';
import { tracing } from './tracing.ts';

/** By the name that `--only` takes, in the order in which they run. */
export const ROWS: Readonly<Record<string, Row>> = {
  path,
  tracing,
  deliver,
  'deliver-slow': deliverSlow,
  customers,
  'fan-out': fanOut,
  latency,
  'latency-many': latencyMany,
  isolation,
  idle,
  backlog,
  'held-retries': heldRetries,
  punctuality,
  scrape,
  growth,
  start,
  'fan-out-many': fanOutMany,
};

/** They take minutes: left out of the quick run. */
export const FULL_ONLY: ReadonlySet<string> = new Set(['growth', 'latency-many', 'start', 'fan-out-many']);
