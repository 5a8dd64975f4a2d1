/** The format of a URL that we call. The address is checked when it is dialed. */
import { z } from 'zod';
import { urlMistakes } from './url-mistakes.ts';

export const url = z.string().superRefine((text, context) => {
  for (const message of urlMistakes(text)) context.addIssue({ code: 'custom', message });
});
