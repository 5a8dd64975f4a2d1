import type { Destination, Message } from '@databridge/delivery/destination/destination';
import { type DestinationSettings, openDestination } from '@databridge/delivery/destination/open-destination';
import { ConnectionBudget } from '@databridge/delivery/egress/connection-budget';
import { Egress, type EgressSettings } from '@databridge/delivery/egress/dispatcher';
import { EgressGuard } from '@databridge/delivery/egress/egress-guard';
import { EgressPolicy } from '@databridge/kernel/egress/egress-policy';
import { Secret } from '@databridge/kernel/secrets/secret';
import type { Outcome } from '@databridge/schemas/destination/outcome';
import { mapSecrets } from '@databridge/schemas/subscription/secret-places';
import { formatIssues, parseSubscription } from '@databridge/schemas/subscription/subscription';

export type OpenOptions = Partial<Omit<DestinationSettings, 'egress'>> &
  Partial<EgressSettings> & { onRate?: (ratePerSecond: number) => void };

const loopback = { allowCidrs: ['127.0.0.0/8', '::1/128'], denyCidrs: [], allowHttp: true };
/** Lets tests dial this machine. */
export const loopbackGuard = new EgressGuard(new EgressPolicy(loopback));

/** A destination as a worker opens it. Closed at the end of the test file at the latest. @param parts of a subscription */
export function openFor(parts: Record<string, unknown>, options: OpenOptions = {}): Destination {
  const parsed = parseSubscription({ customer: 'acme', eventTypes: ['root-cause'], match: 'everything', ...parts });
  if (!parsed.ok) throw new Error(formatIssues(parsed.issues));
  const {
    guard = loopbackGuard,
    budget = new ConnectionBudget(1_000),
    proxy,
    allowHttp2,
    onRate,
    ...settings
  } = options;
  const egress = new Egress({
    ...{ guard, budget },
    ...(allowHttp2 !== undefined && { allowHttp2 }),
    ...(proxy && { proxy }),
  });
  const subscription = mapSecrets(parsed.subscription, (secret) => new Secret(secret));
  const destination = openDestination(
    subscription,
    { maxRetryAfterMs: 3_600_000, webhookOrigin: 'databridge.example', ...settings, egress },
    onRate,
  );
  opened.add(destination);
  return withoutClasses(destination);
}

/** What metrics count a failure as has tests of its own: services/delivery/src/egress/trouble.test.ts. */
function withoutClasses(destination: Destination): Destination {
  return {
    async send(...given) {
      const sent = await destination.send(...given);
      if (sent === undefined) return undefined;
      const { failure: _, ...outcome } = sent.outcome as Outcome & { failure?: unknown };
      return { ...sent, outcome: outcome as Outcome };
    },
    close: () => destination.close(),
    abort: () => destination.abort(),
  };
}

let count = 0;

/** An event as the renderer hands it over; ids are fresh unless given. */
export function message({ body, ...given }: Partial<Omit<Message, 'body'>> & { body?: string } = {}): Message {
  count += 1;
  return {
    eventId: `evt_${process.pid}_${count}`,
    eventType: 'root-cause',
    schemaVersion: 'v1.0',
    attempt: 1,
    traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
    body: Buffer.from(
      body ?? JSON.stringify({ schema_version: 'v1.0', summary: 'Grüße, "ACME" & 東京', number: count }),
    ),
    ...given,
  };
}

const opened = new Set<Destination>();

afterAll(async () => {
  await Promise.all([...opened].map((destination) => destination.abort()));
});
