/** The demo's verdict: every event that was produced is in exactly one box of the picture, by its id. Pure. */

/** The reconciliation's result for the events of one customer. */
export interface CustomerAccount {
  readonly customer: string;
  /** Maps `<event id>@<source>`, the reconciliation's name of a record, or the event id alone to its fate. */
  readonly events: Readonly<Record<string, string>>;
  readonly waitingByLane: Readonly<Record<string, number>>;
  readonly deadByReason: Readonly<Record<string, number>>;
}

export interface Books {
  /** Maps each produced event id to its intended customer, or to `nobody` or `undecodable`. */
  readonly produced: ReadonlyMap<string, string>;
  readonly accounts: readonly CustomerAccount[];
  /** The ids of quarantined events. */
  readonly quarantined: ReadonlySet<string>;
  /** The counter of fan-out: unmatched events are written nowhere, so only their number is known. */
  readonly unmatchedCount: number;
  /** Maps each customer to the ids that its endpoint reports as accepted. */
  readonly accepted: Readonly<Record<string, ReadonlySet<string>>>;
}

export interface Settlement {
  readonly produced: number;
  readonly delivered: Readonly<Record<string, number>>;
  /** Keyed by `customer: lane`. */
  readonly waiting: Readonly<Record<string, number>>;
  /** Keyed by `customer: reason`. */
  readonly dead: Readonly<Record<string, number>>;
  readonly unmatched: number;
  readonly quarantined: number;
  /** Explanations of events that are unaccounted for; empty if there are none. */
  readonly mistakes: readonly string[];
}

export function settle({ produced, accounts, quarantined, unmatchedCount, accepted }: Books): Settlement {
  const mistakes: string[] = [];
  const boxes = new Map<string, string[]>([...produced.keys()].map((id) => [id, []]));
  const put = (eventId: string, box: string) => {
    const found = boxes.get(eventId);
    if (found === undefined) mistakes.push(`${eventId} is ${box}, but was never produced`);
    else found.push(box);
  };

  const delivered: Record<string, number> = {};
  const waiting: Record<string, number> = {};
  const dead: Record<string, number> = {};
  for (const { customer, events: named, waitingByLane, deadByReason } of accounts) {
    const events = Object.fromEntries(Object.entries(named).map(([name, fate]) => [eventIdOf(name), fate]));
    const deliveredIds = Object.keys(events).filter((id) => events[id] === 'delivered');
    for (const [id, fate] of Object.entries(events)) put(id, `${fate} for ${customer}`);
    for (const [lane, count] of Object.entries(waitingByLane).sort(mainFirst))
      waiting[`${customer}: ${laneName(lane)}`] = count;
    for (const [reason, count] of Object.entries(deadByReason)) dead[`${customer}: ${reason}`] = count;
    if (deliveredIds.length > 0) delivered[customer] = deliveredIds.length;
    mistakes.push(...disagreements(customer, new Set(deliveredIds), accepted[customer] ?? new Set()));
  }
  for (const name of quarantined) put(eventIdOf(name), 'quarantined');

  let unmatched = 0;
  for (const [id, found] of boxes) {
    const meantFor = produced.get(id);
    if (found.length > 1) mistakes.push(`${id} is in ${found.length} boxes: ${found.join(', ')}`);
    if (found.some((box) => box.startsWith('unaccounted'))) mistakes.push(`${id} is not accounted for`);
    if (found.length > 0) continue;
    unmatched += 1;
    if (meantFor !== 'nobody') mistakes.push(`${id}, meant for ${meantFor}, is nowhere`);
  }
  if (unmatched !== unmatchedCount)
    mistakes.push(`fan-out counted ${unmatchedCount} unmatched events, not ${unmatched}`);
  return { produced: produced.size, delivered, waiting, dead, unmatched, quarantined: quarantined.size, mistakes };
}

/** The demo's producer gives each event an id of its own, and no source contains an "@". */
const eventIdOf = (name: string) => name.replace(/@[^@]*$/, '');

const mainFirst = ([a]: [string, number], [b]: [string, number]) => Number(b === 'main') - Number(a === 'main');
const laneName = (lane: string) => (lane === 'main' ? 'main lane' : `retry lane ${lane}`);

/** Compares the reconciliation with the receiver's own record. */
function disagreements(customer: string, ours: ReadonlySet<string>, theirs: ReadonlySet<string>): string[] {
  const claimed = [...ours].filter((id) => !theirs.has(id));
  const unknown = [...theirs].filter((id) => !ours.has(id));
  return [
    ...claimed.map((id) => `${id} counts as delivered, but ${customer} never accepted it`),
    ...unknown.map((id) => `${customer} accepted ${id}, but it does not count as delivered`),
  ];
}

export function total(counts: Readonly<Record<string, number>>): number {
  return Object.values(counts).reduce((sum, count) => sum + count, 0);
}
