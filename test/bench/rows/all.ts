import { backlog, heldRetries } from './backlog.ts';
import { deliver } from './deliver.ts';
import { deliverSlow } from './deliver-slow.ts';
import { fanOut } from './fan-out.ts';
import { growth } from './growth.ts';
import { idle } from './idle.ts';
import { isolation } from './isolation.ts';
import { latency } from './latency.ts';
import { punctuality } from './punctuality.ts';
import type { Row } from './row.ts';

/** By the name that `--only` takes, in the order in which they run. */
export const ROWS: Readonly<Record<string, Row>> = {
  deliver,
  'deliver-slow': deliverSlow,
  'fan-out': fanOut,
  latency,
  isolation,
  idle,
  backlog,
  'held-retries': heldRetries,
  punctuality,
  growth,
};

/** Takes minutes, and has no target: left out of the quick run. */
export const FULL_ONLY: ReadonlySet<string> = new Set(['growth']);
