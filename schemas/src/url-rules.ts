/** What a URL that we are to call must look like. Which addresses may be dialled is decided when they are. */
import { z } from 'zod';

export const url = z.string().superRefine((text, context) => {
  const parsed = URL.parse(text);
  const wrong = (message: string) => context.addIssue({ code: 'custom', message });
  if (!parsed) return wrong('is not a URL');
  if (parsed.protocol !== 'https:' && parsed.protocol !== 'http:') wrong('must begin with https:// (or http://)');
  if (parsed.username || parsed.password) wrong('must not hold credentials: they belong under authentication');
  if (parsed.hash) wrong('must not have a #fragment: it is never sent');
});

/** The AWS region that a host name of AWS tells, as in `sqs.eu-west-1.amazonaws.com`; undefined for any other host. */
export function regionOfHost(text: string): string | undefined {
  const host = URL.parse(text)?.hostname ?? '';
  return /\.([a-z]{2}(?:-[a-z]+)+-\d)\.(?:vpce\.)?amazonaws\.com(?:\.cn)?$/.exec(host)?.[1];
}
