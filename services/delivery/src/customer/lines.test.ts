/** A customer that is down does not fill the log, and what is left out is counted. */
import { createLogger, type Logger } from '@databridge/kernel/log';
import type { Attempt } from '@databridge/schemas/records/attempts';
import { AttemptLines } from './attempt-lines.ts';
import { GateLines } from './gate-lines.ts';

function recorded(level = 'info'): { log: Logger; lines: Record<string, unknown>[] } {
  const lines: Record<string, unknown>[] = [];
  return { lines, log: createLogger('test', level, { write: (line) => void lines.push(JSON.parse(line)) }) };
}

const failed = (more: Partial<Attempt> = {}): Attempt => ({
  ...{ eventId: 'evt-1', attempt: 1, at: 0, durationMs: 5, outcome: 'retry', lane: 'main', ...more },
});

test('ten failed attempts a minute are logged, and the next line counts the others', () => {
  const { log, lines } = recorded();
  const attempts = new AttemptLines(log);
  for (let n = 0; n < 500; n++) attempts.note(failed(), n);
  expect(lines).toHaveLength(10);
  attempts.note(failed({ traceId: 'abc' }), 60_000);
  expect(lines).toHaveLength(11);
  expect(lines[10]).toMatchObject({ level: 'info', suppressed: 490, trace_id: 'abc' });
  attempts.note(failed(), 60_001);
  expect(lines[11]).not.toHaveProperty('suppressed');
});

test('at the level debug each is there, deliveries too', () => {
  const { log, lines } = recorded('debug');
  const attempts = new AttemptLines(log);
  for (let n = 0; n < 30; n++) attempts.note(failed({ outcome: n % 2 === 0 ? 'delivered' : 'retry' }), n);
  expect(lines).toHaveLength(30);
});

test('a breaker that opens again and again is logged once, and its closing', () => {
  const { log, lines } = recorded();
  const gate = new GateLines(log);
  for (let n = 0; n < 10; n++) {
    gate.note({ breaker: 'open' }, n * 30_000);
    gate.note({ breaker: 'half-open' }, n * 30_000 + 1);
  }
  gate.note({ breaker: 'closed' }, 400_000);
  expect(lines.map(({ breaker }) => breaker)).toEqual(['open', 'closed']);
  expect(lines[0]).toMatchObject({ level: 'warn', event: 'gate_changed' });
});

test('a hold, and a wait once a minute', () => {
  const { log, lines } = recorded();
  const gate = new GateLines(log);
  const held = { because: 'deauthorized' as const, sinceMs: 0, detail: 'status 401' };
  gate.note({ breaker: 'closed', held }, 0);
  gate.note({ breaker: 'closed', held }, 70_000);
  for (let n = 0; n < 100; n++) gate.note({ breaker: 'closed', waitUntilMs: n }, 100_000 + n * 1_000);
  expect(lines).toHaveLength(3);
});
