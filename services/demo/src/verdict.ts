/** Reads the accounts and prints the demo's result. */
import { styleText } from 'node:util';
import { readTopics } from '@databridge/kernel/kafka/topic-reader';
import { HEADER, headerText } from '@databridge/schemas/records/headers';
import { QUARANTINE_TOPIC } from '@databridge/schemas/records/topics';
import { databridge } from './child.ts';
import { CAST } from './customers/cast.ts';
import { indent, say } from './live/say.ts';
import { type Books, type CustomerAccount, type Settlement, settle, total } from './settlement.ts';
import type { Stage } from './stage.ts';
import { BOXES, VERDICTS } from './texts.ts';

export async function settleBooks(
  { kafka, env }: Stage,
  seen: Pick<Books, 'produced' | 'unmatchedCount' | 'accepted'>,
): Promise<Settlement> {
  const customers = CAST.map(({ customer }) => customer);
  const accounts = await accountsOf(customers, env);
  return settle({ ...seen, accounts, quarantined: await quarantinedIds(kafka) });
}

export async function quarantinedIds(kafka: Stage['kafka']): Promise<ReadonlySet<string>> {
  const ids = new Set<string>();
  await readTopics(kafka, [QUARANTINE_TOPIC], {
    onBatch({ records }) {
      for (const { headers } of records) ids.add(headerText(headers, HEADER.eventId) ?? '');
    },
  });
  return ids;
}

export async function accountsOf(customers: readonly string[], env: Stage['env']): Promise<CustomerAccount[]> {
  return JSON.parse(await databridge(['reconcile', ...customers, '--json', '--events'], env)) as CustomerAccount[];
}

/** Prints the settlement, one box per line, and the events that are unaccounted for. */
export function printSettlement(settlement: Settlement): void {
  const { produced, delivered, waiting, dead, unmatched, quarantined, mistakes } = settlement;
  const details = (counts: Readonly<Record<string, number>>) =>
    Object.entries(counts)
      .map(([what, count]) => `${what} ${count}`)
      .join(', ');
  const boxes: readonly (readonly [string, number, string])[] = [
    [BOXES.delivered, total(delivered), details(delivered)],
    [BOXES.waiting, total(waiting), details(waiting)],
    [BOXES.dead, total(dead), details(dead)],
    [BOXES.unmatched, unmatched, 'nobody subscribed to them'],
    [BOXES.quarantined, quarantined, 'could not be decoded'],
  ];
  const sum = boxes.reduce((all, [, count]) => all + count, 0);
  const line = (sign: string, name: string, count: number, detail: string) =>
    `${sign} ${name.padEnd(14)}${String(count).padStart(6)}   ${styleText('dim', detail)}`.trimEnd();
  const lines = [
    line(' ', styleText('bold', 'produced'.padEnd(14)), produced, ''),
    ...boxes.map(([name, count, detail], index) => line(index === 0 ? '=' : '+', name, count, detail)),
  ];
  say(indent(lines.join('\n')));
  const isWell = mistakes.length === 0 && sum === produced;
  if (isWell) {
    say(`\n  ${styleText('green', `✔ ${produced} = ${sum}: ${VERDICTS.addsUp}`)}`);
  } else {
    say(`\n  ${styleText('red', `✘ ${produced} produced, ${sum} found:`)}`);
    for (const mistake of mistakes.slice(0, 20)) say(`    ${mistake}`);
    if (mistakes.length > 20) say(`    and ${mistakes.length - 20} more`);
  }
}

export function addsUp({ produced, delivered, waiting, dead, unmatched, quarantined, mistakes }: Settlement): boolean {
  const found = total(delivered) + total(waiting) + total(dead) + unmatched + quarantined;
  return mistakes.length === 0 && found === produced;
}
