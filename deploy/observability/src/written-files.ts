/** The files that are written from the typed sources; a test fails when a committed file is stale. */
import { DASHBOARDS, dashboardText } from './dashboards/all.ts';
import { alertmanagerFile } from './rules/alertmanager-file.ts';
import { rulesFile } from './rules/rules-file.ts';

/** Maps each path from the root of the repository to its content. */
export function writtenFiles(): ReadonlyMap<string, string> {
  return new Map([
    ['deploy/helm/databridge-events/files/rules.yaml', rulesFile()],
    ['deploy/observability/alertmanager.yaml', alertmanagerFile()],
    ...Object.entries(DASHBOARDS).map(
      ([file, dashboard]) =>
        [`deploy/helm/databridge-events/files/dashboards/${file}`, dashboardText(dashboard)] as const,
    ),
  ]);
}
