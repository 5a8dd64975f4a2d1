import { type DestinationStream, pino } from 'pino';
import { withoutUserInfo } from './settings/url-user-info.ts';

export type Logger = pino.Logger;

/**
 * JSON lines: `time` (ISO), `level` by name, `service`, `msg`, and what the caller adds. No line shows the user name or
 * password of a URL, wherever in it the URL stands.
 * @param destination left out: standard output
 */
export function createLogger(service: string, level: string, destination?: DestinationStream): Logger {
  return pino(
    {
      level,
      base: { service },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      hooks: { streamWrite: withoutUserInfo },
    },
    destination ?? pino.destination(1),
  );
}
