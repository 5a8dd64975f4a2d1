import {
  DashboardBuilder,
  DashboardCursorSync,
  DashboardLinkBuilder,
  DashboardLinkType,
  DatasourceVariableBuilder,
  QueryVariableBuilder,
  RowBuilder,
  VariableRefresh,
  VariableSort,
} from '@grafana/grafana-foundation-sdk/dashboard';
import { DATASOURCE } from './panels.ts';

type Panel = Parameters<DashboardBuilder['withPanel']>[0];

export interface DashboardParts {
  /** Links and alerts lead to this id, so it never changes. */
  readonly uid: string;
  readonly title: string;
  readonly about: string;
  /** The dashboard has a variable for the customer. */
  readonly hasCustomer?: boolean;
  readonly from?: string;
  readonly rows: readonly (readonly [heading: string, panels: readonly Panel[]])[];
}

/** Returns a dashboard with the common variables, links and tags. */
export function dashboard(parts: DashboardParts): DashboardBuilder {
  const { uid, title, about, hasCustomer = false, from = 'now-3h', rows } = parts;
  const builder = new DashboardBuilder(`Databridge Events / ${title}`)
    .uid(uid)
    .description(about)
    .tags(['databridge-events'])
    .refresh('30s')
    .time({ from, to: 'now' })
    .timezone('utc')
    .tooltip(DashboardCursorSync.Crosshair)
    .readonly()
    .link(
      new DashboardLinkBuilder('Databridge Events')
        .type(DashboardLinkType.Dashboards)
        .tags(['databridge-events'])
        .asDropdown(true)
        .includeVars(true)
        .keepTime(true),
    )
    .withVariable(new DatasourceVariableBuilder('datasource').type('prometheus').label('Data source'))
    .withVariable(labelVariable('namespace', 'databridge_build_info'))
    .withVariable(labelVariable('job', 'databridge_build_info{namespace=~"$namespace"}'));
  if (hasCustomer) {
    const metric = 'databridge_delivery_attempts_total{namespace=~"$namespace",job=~"$job"}';
    builder.withVariable(
      new QueryVariableBuilder('customer')
        .label('Customer')
        .datasource(DATASOURCE)
        .query(`label_values(${metric}, customer)`)
        .refresh(VariableRefresh.OnTimeRangeChanged)
        .sort(VariableSort.AlphabeticalAsc),
    );
  }
  for (const [heading, panels] of rows) {
    builder.withRow(new RowBuilder(heading));
    for (const panel of panels) builder.withPanel(panel);
  }
  return builder;
}

/** A variable that selects everything by default, series without the label included. */
function labelVariable(name: string, selector: string): QueryVariableBuilder {
  return new QueryVariableBuilder(name)
    .label(name[0]?.toUpperCase() + name.slice(1))
    .datasource(DATASOURCE)
    .query(`label_values(${selector}, ${name})`)
    .refresh(VariableRefresh.OnTimeRangeChanged)
    .sort(VariableSort.AlphabeticalAsc)
    .includeAll(true)
    .allValue('.*')
    .multi(true);
}
