import { type DestinationStream, pino } from 'pino';
import { withoutUserInfo } from './settings/url-user-info.ts';

export type Logger = pino.Logger;

/**
 * JSON lines: `time` (ISO), `level` by name, `service`, `msg`, and the caller's fields. No line shows the user name or
 * password of a URL in any of its fields.
 * @param destination if omitted, standard output
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
