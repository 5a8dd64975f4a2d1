import type { FaultReport, SkippedReport } from './fault-run.ts';

const HEADINGS = ['what is done', 'events', 'delivered', 'lost', 'repeated', 'allowed', 'longest stall'] as const;

const isSkipped = (report: FaultReport | SkippedReport): report is SkippedReport => 'skipped' in report;

/** The reports as a Markdown table, in the order of their names. */
export function tableOf(reports: readonly (FaultReport | SkippedReport)[]): string {
  const rows = reports
    .toSorted((a, b) => a.scenario.localeCompare(b.scenario))
    .map((report) => (isSkipped(report) ? skippedRow(report) : row(report)));
  const lines = [HEADINGS, ...rows];
  const widths = HEADINGS.map((_, column) => Math.max(...lines.map((cells) => cells[column]?.length ?? 0)));
  const line = (cells: readonly string[]) => {
    return `| ${cells.map((cell, at) => (at === 0 ? cell.padEnd(widths[at] ?? 0) : cell.padStart(widths[at] ?? 0))).join(' | ')} |`;
  };
  const rule = `| ${widths.map((width, at) => (at === 0 ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`)).join(' | ')} |`;
  return [line(HEADINGS), rule, ...rows.map(line)].join('\n');
}

function row({ scenario, events, delivered, lost, duplicates, bound, longestStallMs }: FaultReport): string[] {
  const stall = `${(longestStallMs / 1_000).toFixed(1)} s`;
  return [scenario, ...[events, delivered, lost, duplicates, bound].map((n) => n.toLocaleString('en')), stall];
}

function skippedRow({ scenario, skipped }: SkippedReport): string[] {
  return [`${scenario}: skipped, ${skipped}`, '', '', '', '', '', ''];
}
