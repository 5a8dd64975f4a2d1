import { pino } from 'pino';

export type Logger = pino.Logger;

/** JSON lines on standard output: `time` (ISO), `level` by name, `service`, `msg`, and what the caller adds. */
export function createLogger(service: string, level: string): Logger {
  return pino({
    level,
    base: { service },
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label) => ({ level: label }) },
  });
}
