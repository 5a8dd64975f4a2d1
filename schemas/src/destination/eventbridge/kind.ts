import { z } from 'zod';
import { url } from '../../subscription/url-rules.ts';
import { arnParts, endpointIssues, endpointOf } from '../aws/region.ts';
import { destinationKind, originOf } from '../kind.ts';
import { timeSettings } from '../time-limits.ts';
import { entryOf, MAX_BYTES, MAX_ENTRIES, putEventsResult, sizeOf } from './put-events.ts';

/** An event bus of Amazon EventBridge, whose rules pass events on to targets in the customer's account. */
export const eventbridge = destinationKind({
  title: 'Amazon EventBridge event bus',
  transport: 'aws',
  schema: z.strictObject({
    type: z.literal('eventbridge'),
    eventBusArn: z
      .string()
      .regex(
        /^arn:[a-z0-9-]+:events:[a-z0-9-]+:\d{12}:event-bus\/[\w./-]{1,256}$/,
        'is not the ARN of an event bus, such as arn:aws:events:eu-west-1:123456789012:event-bus/events',
      ),
    endpoint: url.optional(),
    ...timeSettings,
  }),
  authentications: ['aws'],
  urls: ['endpoint'],
  issues: (settings) => endpointIssues(settings, 'eventBusArn'),
  label: ({ eventBusArn }) => eventBusArn,
  address: ({ eventBusArn, endpoint }) => [eventBusArn, endpoint],
  recipients: ({ eventBusArn, endpoint }) => ({
    // The partition, region and account, without the name of the bus.
    'destination.eventBusArn': eventBusArn.split(':').slice(0, -1).join(':'),
    'destination.endpoint': endpoint === undefined ? '' : originOf(endpoint),
  }),
  service: ({ eventBusArn, endpoint }) => ({
    name: 'EventBridge',
    signingName: 'events',
    region: arnParts(eventBusArn).region,
    url: endpointOf(eventBusArn, endpoint),
    maxEntries: MAX_ENTRIES,
    maxBytes: MAX_BYTES,
    sizeOf,
    request: (messages) => ({
      headers: { 'content-type': 'application/x-amz-json-1.1', 'x-amz-target': 'AWSEvents.PutEvents' },
      body: JSON.stringify({
        Entries: messages.map((message) => ({ EventBusName: eventBusArn, ...entryOf(message) })),
      }),
    }),
    result: putEventsResult,
  }),
});
