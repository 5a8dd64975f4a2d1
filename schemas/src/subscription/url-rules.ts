/** What a URL that we are to call must look like. Which addresses may be dialed is decided when they are. */
import { z } from 'zod';
import { urlMistakes } from './url-mistakes.ts';

export const url = z.string().superRefine((text, context) => {
  for (const message of urlMistakes(text)) context.addIssue({ code: 'custom', message });
});
