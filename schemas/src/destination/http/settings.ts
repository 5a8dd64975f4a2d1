/** The settings that the kinds with one HTTP request per event have in common. */
import { z } from 'zod';
import { staticHeaders } from '../../subscription/header-rules.ts';
import { url } from '../../subscription/url-rules.ts';
import { timeSettings } from '../time-limits.ts';
import { EVENT_FORMATS } from './event-format.ts';

export const httpSettings = {
  url,
  method: z.enum(['POST', 'PUT']).default('POST'),
  headers: staticHeaders,
  ...timeSettings,
  format: z.enum(EVENT_FORMATS).default('json'),
};
