// Draws a dashboard with Grafana's own panels, from what Prometheus answered: window.__DASHBOARD is set by data.js.
import {
  applyFieldOverrides,
  createTheme,
  FieldType,
  getDisplayValueAlignmentFactors,
  getFieldDisplayName,
  reduceField,
  standardEditorsRegistry,
  standardFieldConfigEditorRegistry,
  standardTransformers,
  standardTransformersRegistry,
  ThemeContext,
  toDataFrame,
  transformDataFrame,
} from '@grafana/data';
import { BarGauge, BigValue, GlobalStyles, PanelChrome, Table, TimeSeries } from '@grafana/ui';
import { createRoot } from 'react-dom/client';
import { firstValueFrom } from 'rxjs';

const COLUMN_PX = 50;
const ROW_PX = 38;
const GAP_PX = 8;
/** Grafana measures text in Inter, which is not installed: what is measured and what is drawn must be the same. */
const FONT = "'Liberation Sans', 'DejaVu Sans', sans-serif";
const theme = createTheme({ colors: { mode: 'dark' }, typography: { fontFamily: FONT } });
const canvasFont = Object.getOwnPropertyDescriptor(CanvasRenderingContext2D.prototype, 'font');
Object.defineProperty(CanvasRenderingContext2D.prototype, 'font', {
  ...canvasFont,
  set(text) {
    canvasFont.set.call(this, text.replace(/(px(?:\/\S+)?) .*/, `$1 ${FONT}`));
  },
});
const keep = (value) => value;
const property = (id) => ({
  id,
  path: id,
  name: id,
  description: '',
  editor: () => null,
  override: () => null,
  process: keep,
  settings: {},
  shouldApply: () => true,
  getItemsCount: () => 0,
});
standardEditorsRegistry.setInit(() => []);
standardFieldConfigEditorRegistry.setInit(() =>
  [
    'unit',
    'min',
    'max',
    'decimals',
    'displayName',
    'color',
    'thresholds',
    'mappings',
    'noValue',
    'links',
    'filterable',
  ].map(property),
);
standardTransformersRegistry.setInit(() =>
  ['merge', 'organize'].map((id) => {
    const transformation = standardTransformers[id === 'merge' ? 'mergeTransformer' : 'organizeFieldsTransformer'];
    return { id: transformation.id, name: id, transformation: async () => transformation, editor: () => null };
  }),
);

const { title, panels, fromMs, toMs } = window.__DASHBOARD;
const legendOf = (legend, labels) => legend.replaceAll(/\{\{(\w+)\}\}/g, (_, name) => labels[name] ?? '');

/** As Grafana's Prometheus data source makes frames of an answer. */
function framesOf({ refId, legend, format, result }, isOnly) {
  if (format === 'table') {
    const names = [...new Set(result.flatMap(({ metric }) => Object.keys(metric)))].filter(
      (name) => name !== '__name__',
    );
    const fields = names.map((name) => ({
      name,
      type: FieldType.string,
      values: result.map(({ metric }) => metric[name] ?? ''),
    }));
    const time = { name: 'Time', type: FieldType.time, values: result.map(() => toMs) };
    const numbers = result.map(({ value }) => Number(value[1]));
    const value = { name: isOnly ? 'Value' : `Value #${refId}`, type: FieldType.number, values: numbers, config: {} };
    return [toDataFrame({ refId, fields: [time, ...fields, value] })];
  }
  return result.map(({ metric, values, value }) => {
    const points = values ?? [value];
    return toDataFrame({
      refId,
      fields: [
        { name: 'Time', type: FieldType.time, values: points.map(([at]) => at * 1000) },
        {
          name: 'Value',
          type: FieldType.number,
          labels: metric,
          config: { displayNameFromDS: legendOf(legend, metric) },
          // A line over what is no number draws nothing at all.
          values: points.map(([, text]) => (Number.isFinite(Number(text)) ? Number(text) : null)),
        },
      ],
    });
  });
}

async function prepared(panel) {
  const frames = panel.targets.flatMap((target) => framesOf(target, panel.targets.length === 1));
  const transformations = panel.transformations ?? [];
  const data =
    transformations.length === 0 ? frames : await firstValueFrom(transformDataFrame(transformations, frames));
  const fieldConfig = { defaults: panel.fieldConfig?.defaults ?? {}, overrides: panel.fieldConfig?.overrides ?? [] };
  if (panel.type === 'timeseries') {
    const { custom: given, color, ...rest } = fieldConfig.defaults;
    const usual = {
      ...{ drawStyle: 'line', lineInterpolation: 'linear', axisPlacement: 'auto', spanNulls: false },
      ...{
        scaleDistribution: { type: 'linear' },
        thresholdsStyle: { mode: 'off' },
        stacking: { mode: 'none', group: 'A' },
      },
    };
    fieldConfig.defaults = { ...rest, color: color ?? { mode: 'palette-classic' }, custom: { ...usual, ...given } };
  } else fieldConfig.defaults = { color: { mode: 'thresholds' }, ...fieldConfig.defaults };
  return applyFieldOverrides({
    data,
    fieldConfig,
    fieldConfigRegistry: Object.assign(standardFieldConfigEditorRegistry, {}),
    replaceVariables: keep,
    theme,
    timeZone: 'utc',
  });
}

const lastOf = (field) => reduceField({ field, reducers: ['lastNotNull'] }).lastNotNull;
const valuesOf = (frames) =>
  frames.flatMap((frame) => {
    const field = frame.fields.find(({ type }) => type === FieldType.number);
    if (field === undefined) return [];
    const display = field.display(lastOf(field));
    return [{ field, value: { ...display, title: getFieldDisplayName(field, frame, frames) } }];
  });

function Body({ panel, frames, width, height }) {
  if (panel.type === 'text')
    return <div style={{ padding: 8, fontSize: 14, lineHeight: 1.6 }}>{markdown(panel.options.content)}</div>;
  if (panel.type === 'timeseries') {
    const timeRange = { from: { valueOf: () => fromMs }, to: { valueOf: () => toMs }, raw: {} };
    const legend = { displayMode: 'list', placement: 'bottom', showLegend: true, calcs: [] };
    return (
      <TimeSeries
        frames={frames}
        structureRev={1}
        timeRange={timeRange}
        timeZone="utc"
        width={width}
        height={height}
        legend={legend}
        options={{}}
      />
    );
  }
  if (panel.type === 'stat') {
    const [first] = valuesOf(frames);
    const value = first === undefined ? { text: 'No data', numeric: Number.NaN } : { ...first.value, title: undefined };
    return (
      <BigValue
        theme={theme}
        width={width}
        height={height}
        value={value}
        colorMode="value"
        graphMode="none"
        textMode="value"
        justifyMode="center"
      />
    );
  }
  if (panel.type === 'bargauge') {
    const shown = valuesOf(frames);
    const most = Math.max(...shown.map(({ value }) => value.numeric), 1e-9);
    const factors = getDisplayValueAlignmentFactors(shown.map(({ value }) => value));
    return shown.map(({ field, value }) => (
      <BarGauge
        key={value.title}
        theme={theme}
        width={width}
        height={Math.min(28, Math.max(16, height / shown.length - 6))}
        alignmentFactors={factors}
        text={panel.options?.text}
        value={value}
        display={field.display}
        field={{ ...field.config, min: 0, max: most }}
        orientation="horizontal"
        displayMode="basic"
        itemSpacing={4}
      />
    ));
  }
  return <Table data={frames[0]} width={width} height={height} initialSortBy={panel.options?.sortBy} />;
}

/** Only code is marked in our texts. */
const markdown = (text) =>
  text.split('`').map((part, n) =>
    n % 2 === 0 ? (
      part
    ) : (
      <code key={part} style={{ background: '#2c3235', padding: '1px 4px', borderRadius: 2 }}>
        {part}
      </code>
    ),
  );

const all = await Promise.all(
  panels.map(async (panel) => ({
    panel,
    frames: panel.type === 'row' || panel.type === 'text' ? [] : await prepared(panel),
  })),
);
/** For the test: how many values each panel shows. */
const shown = all.map(({ panel, frames }) => ({
  title: panel.title,
  type: panel.type,
  values: frames.reduce(
    (sum, { fields }) =>
      sum +
      (fields.find(({ type }) => type === FieldType.number)?.values.filter((one) => Number.isFinite(one)).length ?? 0),
    0,
  ),
}));

function Dashboard() {
  const bottom = Math.max(...panels.map(({ gridPos }) => gridPos.y + gridPos.h));
  return (
    <ThemeContext.Provider value={theme}>
      <GlobalStyles />
      <h1 style={{ font: `500 18px ${FONT}`, color: '#ddd', margin: '8px 8px 4px' }}>{title}</h1>
      <div
        id="dashboard"
        style={{
          position: 'relative',
          width: 24 * COLUMN_PX,
          height: bottom * ROW_PX,
          fontFamily: FONT,
        }}
      >
        {all.map(({ panel, frames }) => {
          const { x, y, w, h } = panel.gridPos;
          const place = { position: 'absolute', left: x * COLUMN_PX, top: y * ROW_PX };
          const [width, height] = [w * COLUMN_PX - GAP_PX, h * ROW_PX - GAP_PX];
          if (panel.type === 'row')
            return (
              <h2 key={`${x}/${y}`} style={{ ...place, font: `500 15px ${FONT}`, color: '#ccc', margin: '8px' }}>
                {panel.title}
              </h2>
            );
          return (
            <div key={`${x}/${y}`} style={place}>
              <PanelChrome title={panel.title} width={width} height={height}>
                {(innerWidth, innerHeight) => (
                  <Body panel={panel} frames={frames} width={innerWidth} height={innerHeight} />
                )}
              </PanelChrome>
            </div>
          );
        })}
      </div>
    </ThemeContext.Provider>
  );
}

document.body.style.background = theme.colors.background.canvas;
createRoot(document.getElementById('root')).render(<Dashboard />);
const told = document.createElement('script');
told.id = 'told';
told.type = 'application/json';
// What ends a script must not stand in it.
told.textContent = JSON.stringify({ errors: window.__errors, shown }).replaceAll('<', '\\u003c');
document.body.append(told);
