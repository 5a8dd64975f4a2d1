/** What a URL that we are to call must look like. Which addresses may be dialled is decided when they are. */
import { z } from 'zod';
import { urlMistakes } from './url-mistakes.ts';

export const url = z.string().superRefine((text, context) => {
  for (const message of urlMistakes(text)) context.addIssue({ code: 'custom', message });
});

/**
 * AWS adds regions and partitions (`eusc-de-east-1` under `amazonaws.eu`), so neither is enumerated here: only the shape
 * of a region's name, and its place in a host name behind the service's, are known.
 */
const REGION = '[a-z][a-z0-9]*(?:-[a-z0-9]+)*-\\d+';
const REGION_AFTER_SERVICE = new RegExp(
  `(?:^|\\.)(?:sqs|sns|execute-api)(?:-fips)?\\.(?:dualstack\\.)?(${REGION})\\.[a-z]`,
);
/** The names that SQS had first. */
const REGION_BEFORE_QUEUE = new RegExp(`^(${REGION})\\.queue\\.amazonaws\\.`);

/** The AWS region that a host name of AWS tells, as in `sqs.eu-west-1.amazonaws.com`; undefined for any other host. */
export function regionOfHost(text: string): string | undefined {
  const host = URL.parse(text)?.hostname ?? '';
  return (REGION_AFTER_SERVICE.exec(host) ?? REGION_BEFORE_QUEUE.exec(host))?.[1];
}
