/**
 * AWS adds regions and partitions (`eusc-de-east-1` under `amazonaws.eu`), so regions are not enumerated here: only the
 * shape of a region's name, and its place in a host name behind the service's, are known.
 */
import { z } from 'zod';
import type { Issue } from '../../subscription/issue-words.ts';

export const REGION = '[a-z][a-z0-9]*(?:-[a-z0-9]+)*-\\d+';
const REGION_AFTER_SERVICE = new RegExp(
  `(?:^|\\.)(?:sqs|sns|execute-api)(?:-fips)?\\.(?:dualstack\\.)?(${REGION})\\.[a-z]`,
);
/** Older host names of SQS; the one without a region is that of the first region. */
const FIRST_QUEUE_HOST = 'queue.amazonaws.com';
const REGION_BEFORE_QUEUE = new RegExp(`^(${REGION})\\.queue\\.amazonaws\\.`);

export const region = z.string().regex(new RegExp(`^${REGION}$`), 'is not an AWS region, such as eu-west-1');

/** The AWS region that a host name of AWS contains, as in `sqs.eu-west-1.amazonaws.com`; undefined for any other host. */
export function regionOfHost(text: string): string | undefined {
  const host = URL.parse(text)?.hostname ?? '';
  if (host === FIRST_QUEUE_HOST) return 'us-east-1';
  return (REGION_AFTER_SERVICE.exec(host) ?? REGION_BEFORE_QUEUE.exec(host))?.[1];
}

/** @param field the field with the URL from which the region is taken if `region` is omitted */
export function regionIssues(settings: Readonly<Record<string, unknown>>, field: string): Issue[] {
  const text = settings[field];
  const isKnown = settings['region'] !== undefined || typeof text !== 'string' || !URL.canParse(text);
  if (isKnown || regionOfHost(text) !== undefined) return [];
  return [
    { path: ['destination', 'region'], message: `is missing, and the host name of ${field} does not contain it` },
  ];
}

/** https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html and the partitions of AWS's SDKs. */
const DOMAINS: Readonly<Record<string, string>> = {
  aws: 'amazonaws.com',
  'aws-us-gov': 'amazonaws.com',
  'aws-cn': 'amazonaws.com.cn',
  'aws-eusc': 'amazonaws.eu',
  'aws-iso': 'c2s.ic.gov',
  'aws-iso-b': 'sc2s.sgov.gov',
  'aws-iso-e': 'cloud.adc-e.uk',
  'aws-iso-f': 'csp.hci.ic.gov',
};

/** The parts of `arn:<partition>:<service>:<region>:<account>:<resource>`. */
export function arnParts(arn: string) {
  const [, partition = '', service = '', arnRegion = '', account = '', ...resource] = arn.split(':');
  return { partition, service, region: arnRegion, account, resource: resource.join(':') };
}

/** The endpoint of a service in an ARN's region, unless another one is given. @throws {TypeError} {@link endpointIssues} finds it */
export function endpointOf(arn: string, endpoint: string | undefined): URL {
  const { partition, service, region: arnRegion } = arnParts(arn);
  return new URL(endpoint ?? `https://${service}.${arnRegion}.${DOMAINS[partition] ?? ''}`);
}

/** @param field the field that contains the ARN */
export function endpointIssues(settings: Readonly<Record<string, unknown>>, field: string): Issue[] {
  const arn = settings[field];
  if (typeof arn !== 'string' || !arn.startsWith('arn:') || settings['endpoint'] !== undefined) return [];
  const { partition } = arnParts(arn);
  if (Object.hasOwn(DOMAINS, partition)) return [];
  const message = `is missing: the endpoints of the partition ${partition} are not known; give the service's URL`;
  return [{ path: ['destination', 'endpoint'], message }];
}
