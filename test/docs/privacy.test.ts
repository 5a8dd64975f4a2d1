/** docs/privacy.md says for how long each topic is kept: checked against the settings by which topics are made. */
import { readFileSync } from 'node:fs';
import { INVITATIONS_KEPT_MS, OPERATIONS_KEPT_MS } from '@databridge/control-plane/upkeep/forget-old';
import { DAY_MS, DEFAULT_RETENTION, QUARANTINE_DAYS } from '@databridge/schemas/privacy/retention';
import { IDEMPOTENCY_KEPT_MS } from '@databridge/schemas/records/idempotency';
import { customerTopics, intakeTopic, systemTopics } from '@databridge/schemas/records/topics';

const page = readFileSync(new URL('../../docs/privacy.md', import.meta.url), 'utf8');

/** Topic → the cell that says for how long. */
const said = new Map(
  [...page.matchAll(/^\| (?:the intake, )?`([^`]+)` \| [^|]* \| ([^|]*) \|/gm)].map(([, topic, kept]) => [topic, kept]),
);
const daysOf = (config: Readonly<Record<string, string>> = {}) => Number(config['retention.ms']) / DAY_MS;

test('each topic with a limit is on the page, with the days that its settings say', () => {
  const [delivery, retry, dead] = customerTopics('x', ['1m']).map(({ config }) => daysOf(config));
  expect(said.get('delivery.<customer>')).toBe(`${delivery} days (\`retention.deliveryDays\`)`);
  expect(said.get('delivery.<customer>.retry.<delay>')).toBe(`${retry} days (\`retention.retryDays\`)`);
  expect(said.get('delivery.<customer>.dead')).toBe(`${dead} days (\`retention.deadLetterDays\`)`);
  expect(page).toContain(`| ${DEFAULT_RETENTION.stoppedDays} days (\`retention.stoppedDays\`), at least the above |`);
  expect(said.get('root-cause.events')).toContain(`${daysOf(intakeTopic('x').config)} days where`);
  expect(said.get('fan-out.quarantine')).toBe(`${QUARANTINE_DAYS} days`);
  for (const { topic, config } of systemTopics()) {
    if (config['retention.ms'] === undefined) continue;
    expect(said.get(topic)).toBe(`${daysOf(config)} days`);
  }
});

test('what is kept by upkeep is on the page', () => {
  expect(said.get('databridge.operations')).toBe(`${OPERATIONS_KEPT_MS / DAY_MS} days after their end`);
  expect(said.get('databridge.invitations')).toBe(`${INVITATIONS_KEPT_MS / DAY_MS} days after their end`);
  expect(said.get('databridge.idempotency')).toBe(`${(IDEMPOTENCY_KEPT_MS / DAY_MS) * 24} hours`);
});

/** State of the service itself, which names no call and no person. */
const WITHOUT_PERSONAL_DATA = [
  'databridge.status',
  'databridge.control-plane',
  'databridge.workers',
  'databridge.notices-told',
];

test('every topic is on the page, or contains nothing personal', () => {
  const missing = systemTopics()
    .map(({ topic }) => topic)
    .filter((topic) => !said.has(topic));
  expect(missing.sort()).toEqual(WITHOUT_PERSONAL_DATA.toSorted());
});
