/**
 * Loaded into a service (`--import`), it measures how much processor time each turn of its event loop takes: all
 * customers wait for a turn that is long. Unlike a delay, processor time is the same on a busy machine. On SIGUSR2 it
 * writes a log line with the longest turns since the one before. See `turnWaitMs` of turns.ts.
 */
const LOOK_EVERY_MS = 1;
const KEPT = 1_000;

let turnsMs: number[] = [];
let before = process.threadCpuUsage();
let sinceMs = performance.now();

setInterval(() => {
  const { user, system } = process.threadCpuUsage(before);
  before = process.threadCpuUsage();
  turnsMs.push((user + system) / 1_000);
  if (turnsMs.length > 20 * KEPT) turnsMs = longest();
}, LOOK_EVERY_MS).unref();

process.on('SIGUSR2', () => {
  const windowMs = performance.now() - sinceMs;
  process.stdout.write(`${JSON.stringify({ level: 'info', msg: 'turns measured', windowMs, turnsMs: longest() })}\n`);
  turnsMs = [];
  sinceMs = performance.now();
});

function longest(): number[] {
  return turnsMs.sort((a, b) => b - a).slice(0, KEPT);
}
