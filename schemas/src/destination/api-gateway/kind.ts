import { z } from 'zod';
import { region, regionIssues, regionOfHost } from '../aws/region.ts';
import { formatterOf } from '../http/event-format.ts';
import { httpSettings } from '../http/settings.ts';
import { destinationKind, originOf } from '../kind.ts';

/** https://docs.aws.amazon.com/apigateway/latest/developerguide/limits.html */
const MAX_BYTES = 10_485_760;

/** Amazon API Gateway, with an API key or with IAM (SigV4). */
export const apiGateway = destinationKind({
  title: 'Amazon API Gateway',
  transport: 'http',
  schema: z.strictObject({ type: z.literal('api-gateway'), ...httpSettings, region: region.optional() }),
  authentications: ['none', 'basic', 'api-key', 'oauth', 'aws'],
  urls: ['url'],
  issues: (settings, authentication) => (authentication === 'aws' ? regionIssues(settings, 'url') : []),
  label: ({ url }) => url,
  address: ({ url }) => [url],
  recipients: ({ url, region: given }, authentication) => ({
    'destination.url': originOf(url),
    ...(authentication === 'aws' && { 'destination.region': given ?? '' }),
  }),
  requests: ({ region: given, ...settings }) => ({
    ...settings,
    format: formatterOf(settings.format),
    maxBodyBytes: MAX_BYTES,
    region: given ?? regionOfHost(settings.url) ?? '',
  }),
});
