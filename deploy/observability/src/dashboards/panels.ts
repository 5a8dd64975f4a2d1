/** Panels as all dashboards have them. Only kinds that `@grafana/ui` can render, so that a test draws each one. */
import { PanelBuilder as BarGaugePanel } from '@grafana/grafana-foundation-sdk/bargauge';
import {
  BarGaugeDisplayMode,
  BigValueColorMode,
  BigValueGraphMode,
  GraphThresholdsStyleConfigBuilder,
  GraphThresholdsStyleMode,
  LegendDisplayMode,
  LegendPlacement,
  ReduceDataOptionsBuilder,
  SortOrder,
  StackingConfigBuilder,
  StackingMode,
  TableSortByFieldStateBuilder,
  TooltipDisplayMode,
  VisibilityMode,
  VizLegendOptionsBuilder,
  VizOrientation,
  VizTextDisplayOptionsBuilder,
  VizTooltipOptionsBuilder,
} from '@grafana/grafana-foundation-sdk/common';
import { MappingType, ThresholdsConfigBuilder, ThresholdsMode } from '@grafana/grafana-foundation-sdk/dashboard';
import { DataqueryBuilder, PromQueryFormat } from '@grafana/grafana-foundation-sdk/prometheus';
import { PanelBuilder as StatPanel } from '@grafana/grafana-foundation-sdk/stat';
import { PanelBuilder as TablePanel } from '@grafana/grafana-foundation-sdk/table';
import { TextMode, PanelBuilder as TextPanel } from '@grafana/grafana-foundation-sdk/text';
import { PanelBuilder as TimeSeriesPanel } from '@grafana/grafana-foundation-sdk/timeseries';

export const DATASOURCE = { type: 'prometheus', uid: '${datasource}' };
/** Goes into every selector: which deployment is shown. */
export const S = 'namespace=~"$namespace",job=~"$job"';

/** A series that is there while whoever exports the metrics of the expression is scraped. */
function exporterOf(expression: string): string {
  if (expression.includes('databridge_delivery_')) return `databridge_delivery_customers{${S}}`;
  if (expression.includes('databridge_fan_out_')) return `databridge_fan_out_subscriptions{${S}}`;
  if (/databridge_(ready|registry|kafka)_?/.test(expression)) return `databridge_build_info{${S}}`;
  return `databridge_export_timestamp_seconds{${S}}`;
}

/** 0 where the expression has no value because there is nothing to tell; no value where nothing is scraped. */
export const orNone = (expression: string) => `${expression} or 0 * max(${exporterOf(expression)})`;

/** The same for an expression with a label: `none` is 0. */
export const orNoneOf = (label: string, expression: string) =>
  `${expression} or on () label_replace(0 * max(${exporterOf(expression)}), "${label}", "none", "", "")`;

/** A query and the name of its series, such as `{{customer}}`. */
export type Query = readonly [expression: string, legend: string];
/** From which value on it is which color. */
export type Steps = readonly (readonly [from: number | null, color: string])[];

/** Green at 0, red from 1 on. */
export const NONE_IS_GOOD: Steps = [
  [null, 'green'],
  [1, 'red'],
];
export const NEUTRAL: Steps = [[null, 'blue']];

export interface PanelOptions {
  readonly title: string;
  /** What it shows, and what to do when it is bad. */
  readonly about: string;
  readonly unit?: string;
  readonly span?: number;
  readonly height?: number;
  readonly steps?: Steps;
  /** What a negative value means, in words. */
  readonly negative?: string;
}

const thresholds = (steps: Steps) =>
  new ThresholdsConfigBuilder().mode(ThresholdsMode.Absolute).steps(steps.map(([value, color]) => ({ value, color })));

function targets(queries: readonly Query[], isInstant: boolean): DataqueryBuilder[] {
  return queries.map(([expression, legend], n) => {
    const target = new DataqueryBuilder()
      .refId(String.fromCharCode(65 + n))
      .expr(expression)
      .legendFormat(legend)
      .datasource(DATASOURCE);
    return isInstant ? target.instant() : target.range();
  });
}

/** One number, now. */
export function stat(options: PanelOptions, expression: string): StatPanel {
  const { title, about, unit = 'short', span = 4, height = 4, steps = NEUTRAL, negative } = options;
  const panel = new StatPanel()
    .title(title)
    .description(about)
    .datasource(DATASOURCE)
    .unit(unit)
    .span(span)
    .height(height)
    .thresholds(thresholds(steps))
    .colorMode(BigValueColorMode.Value)
    .graphMode(BigValueGraphMode.None)
    .reduceOptions(new ReduceDataOptionsBuilder().calcs(['lastNotNull']));
  if (negative !== undefined) {
    panel.mappings([{ type: MappingType.RangeToText, options: { from: null, to: 0, result: { text: negative } } }]);
  }
  for (const target of targets([[expression, title]], true)) panel.withTarget(target);
  return panel;
}

export interface SeriesOptions extends PanelOptions {
  readonly isStacked?: boolean;
  readonly max?: number;
}

/** How it went. */
export function series(options: SeriesOptions, ...queries: readonly Query[]): TimeSeriesPanel {
  const { title, about, unit = 'short', span = 12, height = 8, steps, isStacked = false, max } = options;
  const panel = new TimeSeriesPanel()
    .title(title)
    .description(about)
    .datasource(DATASOURCE)
    .unit(unit)
    .min(0)
    .span(span)
    .height(height)
    .lineWidth(1)
    .fillOpacity(isStacked ? 30 : 8)
    .showPoints(VisibilityMode.Never)
    .legend(
      new VizLegendOptionsBuilder()
        .displayMode(LegendDisplayMode.List)
        .placement(LegendPlacement.Bottom)
        .showLegend(true)
        .calcs([]),
    )
    .tooltip(new VizTooltipOptionsBuilder().mode(TooltipDisplayMode.Multi).sort(SortOrder.Descending));
  if (max !== undefined) panel.max(max);
  if (isStacked) panel.stacking(new StackingConfigBuilder().mode(StackingMode.Normal).group('A'));
  if (steps !== undefined) {
    panel.thresholds(thresholds(steps));
    panel.thresholdsStyle(new GraphThresholdsStyleConfigBuilder().mode(GraphThresholdsStyleMode.Line));
  }
  for (const target of targets(queries, false)) panel.withTarget(target);
  return panel;
}

/** Which is the most, now. */
export function bars(options: PanelOptions, ...queries: readonly Query[]): BarGaugePanel {
  const { title, about, unit = 'short', span = 8, height = 8, steps = NEUTRAL } = options;
  const panel = new BarGaugePanel()
    .title(title)
    .description(about)
    .datasource(DATASOURCE)
    .unit(unit)
    .min(0)
    .span(span)
    .height(height)
    .thresholds(thresholds(steps))
    .displayMode(BarGaugeDisplayMode.Basic)
    .orientation(VizOrientation.Horizontal)
    .text(new VizTextDisplayOptionsBuilder().titleSize(13).valueSize(15))
    .reduceOptions(new ReduceDataOptionsBuilder().calcs(['lastNotNull']));
  for (const target of targets(queries, true)) panel.withTarget(target);
  return panel;
}

/** A column of a table: its query, its heading, how its values are shown. */
export interface Column {
  readonly expression: string;
  readonly heading: string;
  readonly unit?: string;
  readonly steps?: Steps;
}

export interface TableOptions extends PanelOptions {
  /** Labels that name a row, as columns. */
  readonly labels: Readonly<Record<string, string>>;
  /** The heading whose column sorts the rows, the highest first. */
  readonly sortBy?: string;
  /** Where a click on the first label leads. */
  readonly link?: string;
}

/** A row for each of something, now. */
export function table(options: TableOptions, ...columns: readonly Column[]): TablePanel {
  const { title, about, span = 24, height = 8, labels, sortBy, link } = options;
  const panel = new TablePanel()
    .title(title)
    .description(about)
    .datasource(DATASOURCE)
    .span(span)
    .height(height)
    .thresholds(thresholds(NEUTRAL))
    .noValue('–');
  columns.forEach(({ expression }, n) => {
    const refId = String.fromCharCode(65 + n);
    panel.withTarget(
      new DataqueryBuilder()
        .refId(refId)
        .expr(expression)
        .instant()
        .format(PromQueryFormat.Table)
        .datasource(DATASOURCE),
    );
  });
  const fieldOf = (n: number) => (columns.length === 1 ? 'Value' : `Value #${String.fromCharCode(65 + n)}`);
  const headings = Object.fromEntries(columns.map(({ heading }, n) => [fieldOf(n), heading]));
  const order = [...Object.keys(labels), ...columns.map((_, n) => fieldOf(n))];
  panel.withTransformation({ id: 'merge', options: {} });
  panel.withTransformation({
    id: 'organize',
    options: {
      excludeByName: { Time: true },
      indexByName: Object.fromEntries(order.map((name, index) => [name, index])),
      renameByName: { ...labels, ...headings },
    },
  });
  if (sortBy !== undefined) panel.sortBy([new TableSortByFieldStateBuilder().displayName(sortBy).desc(true)]);
  for (const { heading, unit = 'short', steps } of columns) {
    panel.overrideByName(heading, [
      { id: 'unit', value: unit },
      ...(steps === undefined
        ? []
        : [
            { id: 'thresholds', value: thresholds(steps).build() },
            { id: 'custom.cellOptions', value: { type: 'color-text' } },
          ]),
    ]);
  }
  const [first] = Object.values(labels);
  if (link !== undefined && first !== undefined) {
    panel.overrideByName(first, [{ id: 'links', value: [{ title: 'Show', url: link }] }]);
  }
  return panel;
}

/** @param content Markdown */
export function text(title: string, content: string, span = 24, height = 4): TextPanel {
  return new TextPanel().title(title).mode(TextMode.Markdown).content(content).span(span).height(height);
}
