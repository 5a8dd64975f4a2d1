/** The operators' endpoint: it receives operational notices as a customer's API receives events (docs/notices.md). */
import { setTimeout as delay } from 'node:timers/promises';
import { styleText } from 'node:util';
import { NOTICE_EVENT_TYPE } from '@databridge/schemas/event/event-types';
import { NOTICES_TOPIC } from '@databridge/schemas/records/topics';
import { z } from 'zod';
import { databridge } from './child.ts';
import { CAST } from './customers/cast.ts';
import { startReceiver } from './customers/receivers.ts';
import { say, step } from './live/say.ts';
import type { Stage } from './stage.ts';
import { STEPS } from './texts.ts';

const notice = z.object({
  noticeid: z.string(),
  state: z.enum(['raised', 'resolved']),
  severity: z.enum(['information', 'warning', 'critical']),
  text: z.string(),
});
export type Notice = z.infer<typeof notice>;

export const NOTICES = `${NOTICE_EVENT_TYPE}=${NOTICES_TOPIC}`;
const LOOK_EVERY_MS = 50;
const GIVE_UP_AFTER_MS = 60_000;
const TONES = { information: 'blue', warning: 'yellow', critical: 'red' } as const;

export interface OperatorsEndpoint {
  readonly url: string;
  readonly received: readonly Notice[];
  stop(): Promise<void>;
}

export async function startOperatorsEndpoint(): Promise<OperatorsEndpoint> {
  const received: Notice[] = [];
  const { url, stop } = await startReceiver((_id, _nth, body) => {
    received.push(notice.parse(JSON.parse(body)));
    return 200;
  });
  return { url, received, stop };
}

/** Returns the operators' entry of the subscriptions file. */
export function operatorsYaml({ url }: Pick<OperatorsEndpoint, 'url'>): string {
  return `  - customer: operators
    eventTypes: [${NOTICE_EVENT_TYPE}]
    match:
      company: [operators]
    destination:
      type: http
      url: ${url}
`;
}

/**
 * Disables the customers whose endpoints are down, as an operator would, and prints the notices that the operators
 * received: of that, of the dead letter and of the quarantine.
 *
 * @throws Error if a notice is missing after a minute
 */
export async function showNotices({ env }: Stage, { received }: OperatorsEndpoint): Promise<void> {
  const down = CAST.filter(({ temper }) => temper === 'down').map(({ customer }) => customer);
  await step(STEPS.disabled, () => databridge(['disable', ...down], env));
  const healthy = CAST.filter(({ temper }) => temper === 'healthy').map(({ customer }) => customer);
  const expected = [
    ...down.map((customer) => `${customer}/disabled`),
    ...healthy.map((customer) => `${customer}/dead-letters`),
    'operators/quarantine',
  ];
  await step(STEPS.notified, async () => {
    const missing = () => expected.filter((id) => !received.some(({ noticeid }) => noticeid === id));
    const giveUpAtMs = performance.now() + GIVE_UP_AFTER_MS;
    while (missing().length > 0) {
      if (performance.now() > giveUpAtMs)
        throw new Error(`Notices did not arrive within ${GIVE_UP_AFTER_MS / 1_000} s: ${missing().join(', ')}`);
      await delay(LOOK_EVERY_MS);
    }
  });
  for (const one of received) say(formatNotice(one));
}

/** Returns the first sentence of the notice's text; the remedy follows in the notice itself. */
export function formatNotice({ severity, state, text }: Notice): string {
  const sentence = /^.*?[.](?=\s|$)/s.exec(text)?.[0] ?? text;
  const label = state === 'raised' ? severity : state;
  return `    ${styleText(state === 'raised' ? TONES[severity] : 'green', label.padEnd(12))}${sentence}`;
}
