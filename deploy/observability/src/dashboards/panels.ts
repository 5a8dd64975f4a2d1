/** The common panels, only of kinds that `@grafana/ui` can render, so that a test draws each one. */
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
/** Part of every selector: it limits a query to the selected deployment. */
export const S = 'namespace=~"$namespace",job=~"$job"';

/** Returns a series that exists while the exporter of the expression's metrics is scraped. */
function exporterOf(expression: string): string {
  if (expression.includes('databridge_delivery_')) return `databridge_delivery_customers{${S}}`;
  if (expression.includes('databridge_fan_out_')) return `databridge_fan_out_subscriptions{${S}}`;
  if (/databridge_(ready|registry|kafka)_?/.test(expression)) return `databridge_build_info{${S}}`;
  return `databridge_export_timestamp_seconds{${S}}`;
}

/** Gives 0 where the exporter is scraped and the expression has no value; no value where nothing is scraped. */
export const orNone = (expression: string) => `${expression} or 0 * max(${exporterOf(expression)})`;

/** Does the same for an expression with a label: `none` is 0. */
export const orNoneOf = (label: string, expression: string) =>
  `${expression} or on () label_replace(0 * max(${exporterOf(expression)}), "${label}", "none", "", "")`;

/** A query and the name of its series, such as `{{customer}}`. */
export type Query = readonly [expression: string, legend: string];
/** The color of a value, by the lowest value that has it. */
export type Steps = readonly (readonly [from: number | null, color: string])[];

/** Green at 0, red from 1 on. */
export const NONE_IS_GOOD: Steps = [
  [null, 'green'],
  [1, 'red'],
];
const NEUTRAL: Steps = [[null, 'blue']];

export interface PanelOptions {
  readonly title: string;
  /** Tells what the panel shows, and what to do when the value is bad. */
  readonly about: string;
  readonly unit?: string;
  readonly span?: number;
  readonly height?: number;
  readonly steps?: Steps;
  /** The meaning of a negative value, in words. */
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

/** Shows one current value. */
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

/** Shows the course of values over time. */
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

/** Compares current values as bars. */
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

/** A column of a table: its query, its heading, and the format of its values. */
export interface Column {
  readonly expression: string;
  readonly heading: string;
  readonly unit?: string;
  readonly steps?: Steps;
}

export interface TableOptions extends PanelOptions {
  /** Labels that name a row, with the headings of their columns. */
  readonly labels: Readonly<Record<string, string>>;
  /** The heading of the column that sorts the rows, the highest value first. */
  readonly sortBy?: string;
  /** The link on the first label. */
  readonly link?: string;
}

/** Shows current values, with one row per combination of labels. */
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
