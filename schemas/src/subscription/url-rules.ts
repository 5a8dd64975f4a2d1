/** What a URL that we are to call must look like. Which addresses may be dialled is decided when they are. */
import { z } from 'zod';
import { urlMistakes } from './url-mistakes.ts';

export const url = z.string().superRefine((text, context) => {
  for (const message of urlMistakes(text)) context.addIssue({ code: 'custom', message });
});

/** The AWS region that a host name of AWS tells, as in `sqs.eu-west-1.amazonaws.com`; undefined for any other host. */
export function regionOfHost(text: string): string | undefined {
  const host = URL.parse(text)?.hostname ?? '';
  return /\.([a-z]{2}(?:-[a-z]+)+-\d)\.(?:vpce\.)?amazonaws\.com(?:\.cn)?$/.exec(host)?.[1];
}
