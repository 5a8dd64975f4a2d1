import type { Dashboard } from '@grafana/grafana-foundation-sdk/dashboard';
import { customer } from './customer.ts';
import { intake } from './intake.ts';
import { overview } from './overview.ts';
import { platform } from './platform.ts';
import { slo } from './slo.ts';
import { workers } from './workers.ts';

/** Maps each file name to its dashboard. */
export const DASHBOARDS: Readonly<Record<string, Dashboard>> = {
  'overview.json': overview.build(),
  'customer.json': customer.build(),
  'intake.json': intake.build(),
  'workers.json': workers.build(),
  'platform.json': platform.build(),
  'slo.json': slo.build(),
};

/** The text of the file. */
export const dashboardText = (dashboard: Dashboard): string => `${JSON.stringify(dashboard, null, 2)}\n`;
