/** Attempts by outcome over time, as stacked bars, with a table of the same numbers beside them. */
import { scaleLinear, scaleUtc } from 'd3-scale';
import { stack } from 'd3-shape';
import type { AnswerOf } from '../api/client.ts';
import { absoluteTime, milliseconds } from '../time/words.ts';
import { useZone } from '../time/zone.tsx';
import { OUTCOMES, type OutcomeName } from './outcomes.ts';

type Series = AnswerOf<'GET /v1/subscriptions/{customer}/attempts/series'>;

const WIDTH = 800;
const HEIGHT = 180;
const LEFT = 48;
const BOTTOM = 24;
const NAMES = (Object.keys(OUTCOMES) as OutcomeName[]).filter((name) => name !== 'skipped');

export default function OutcomeChart({ series: { items, stepMs } }: { readonly series: Series }) {
  const { name: zone } = useZone();
  const present = NAMES.filter((name) => items.some(({ outcomes }) => (outcomes[name] ?? 0) > 0));
  const layers = stack<Series['items'][number], OutcomeName>()
    .keys(present)
    .value(({ outcomes }, name) => outcomes[name] ?? 0)([...items]);
  const most = Math.max(1, ...items.map(({ outcomes }) => Object.values(outcomes).reduce((a, b) => a + b, 0)));
  const firstMs = items[0]?.atMs ?? 0;
  const x = scaleUtc([firstMs, firstMs + items.length * stepMs], [LEFT, WIDTH]);
  const y = scaleLinear([0, most], [HEIGHT - BOTTOM, 8]).nice(4);
  const barWidth = Math.max((WIDTH - LEFT) / Math.max(items.length, 1) - 1, 1);
  const clock = new Intl.DateTimeFormat('sv-SE', { timeZone: zone, hour: '2-digit', minute: '2-digit' });
  return (
    <figure className="chart">
      <figcaption>
        Attempts in steps of {stepMs / 60_000} min, {zone}
        <ul className="legend">
          {present.map((name) => (
            <li key={name}>
              <svg viewBox="0 0 12 12" aria-hidden="true">
                <rect width="12" height="12" className={`bar ${name}`} />
              </svg>
              {OUTCOMES[name].word}
            </li>
          ))}
        </ul>
      </figcaption>
      <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} aria-hidden="true">
        {y
          .ticks(4)
          .filter(Number.isInteger)
          .map((tick) => (
            <g key={tick}>
              <line className="rule" x1={LEFT} x2={WIDTH} y1={y(tick)} y2={y(tick)} />
              <text className="tick" x={LEFT - 6} y={y(tick) + 4} textAnchor="end">
                {tick.toLocaleString('en')}
              </text>
            </g>
          ))}
        {x.ticks(8).map((tick) => (
          <text key={tick.getTime()} className="tick" x={x(tick)} y={HEIGHT - 6} textAnchor="middle">
            {clock.format(tick)}
          </text>
        ))}
        {layers.map((layer) =>
          layer.map(([low, high], index) =>
            high === low ? null : (
              <rect
                key={`${layer.key} ${items[index]?.atMs}`}
                className={`bar ${layer.key}`}
                x={x(items[index]?.atMs ?? 0)}
                width={barWidth}
                y={y(high)}
                height={Math.max(y(low) - y(high), 1)}
              />
            ),
          ),
        )}
      </svg>
      <details>
        <summary>The same as a table</summary>
        <SeriesTable items={items} present={present} zone={zone} />
      </details>
    </figure>
  );
}

function SeriesTable(props: {
  readonly items: Series['items'];
  readonly present: readonly OutcomeName[];
  readonly zone: string;
}) {
  const { items, present, zone } = props;
  const busy = items.filter(({ outcomes }) => Object.keys(outcomes).length > 0).toReversed();
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard
    <section className="scroll" aria-label="Attempts by time" tabIndex={0}>
      <table>
        <thead>
          <tr>
            <th scope="col">From</th>
            {present.map((name) => (
              <th key={name} scope="col" className="number">
                {OUTCOMES[name].word}
              </th>
            ))}
            {['Half below', '95 % below', '99 % below'].map((title) => (
              <th key={title} scope="col" className="number">
                {title}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {busy.map(({ atMs, outcomes, p50Ms, p95Ms, p99Ms }) => (
            <tr key={atMs}>
              <th scope="row">{absoluteTime(atMs, zone, undefined)}</th>
              {present.map((name) => (
                <td key={name} className="number">
                  {(outcomes[name] ?? 0).toLocaleString('en')}
                </td>
              ))}
              {[p50Ms, p95Ms, p99Ms].map((ms, index) => (
                <td key={String(index)} className="number">
                  {ms === undefined ? '–' : milliseconds(ms)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
