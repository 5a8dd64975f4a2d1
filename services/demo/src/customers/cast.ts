/** The cast of the demo: customers, the behavior of their endpoints, and their events. */

export const EVENT_TYPE = 'root-cause';
export const INTAKE_TOPIC = 'root-cause.events';

/** The delays are seconds instead of hours, so that retries can be watched; they fit {@link RETRY_WINDOW}. */
export const RETRY_PLAN = '2s*3,5s*3,30s*10';
export const RETRY_WINDOW = '10m';

export interface CastMember {
  readonly customer: string;
  readonly company: string;
  /** The behavior of its endpoint. */
  readonly temper: 'healthy' | 'fails now and then' | 'down';
  readonly events: number;
  /** The customer's rate limit, in deliveries per second. */
  readonly ratePerSecond?: number;
}

/** The demo produces 300 events, {@link UNWANTED_EVENTS} and the undecodable one included. */
export const CAST: readonly CastMember[] = [
  { customer: 'acme', company: 'ACME Corporation', temper: 'healthy', events: 159 },
  { customer: 'globex', company: 'Globex', temper: 'fails now and then', events: 80, ratePerSecond: 15 },
  { customer: 'initech', company: 'Initech', temper: 'down', events: 50 },
];
export const UNWANTED_EVENTS = 10;
/** The number of the healthy customer's events that its API refuses (400). */
export const REFUSED_EVENTS = 1;

/** The customer of the throughput section. */
export const BULK_CUSTOMER = { customer: 'hooli', company: 'Hooli', events: 20_000 } as const;

const SENTENCE = 'hello my name is [NAME] and i moved to [ADDRESS] so i would like to change where my letters go. ';

/** Returns a text of this many bytes; with the default, an event has about 0.6 KB as Avro. */
export function transcript(bytes = 200): string {
  return SENTENCE.repeat(Math.ceil(bytes / SENTENCE.length)).slice(0, bytes);
}

export interface Endpoints {
  /** Customer → URL. */
  readonly urls: Readonly<Record<string, string>>;
}

/** The subscriptions file. Secrets are not in it: they come from the environment. */
export function subscriptionsYaml({ urls }: Endpoints): string {
  const entries = CAST.map(
    ({ customer, company, ratePerSecond, temper }) => `  - customer: ${customer}
    eventTypes: [${EVENT_TYPE}]
    match:
      company: [${company}]
      folder: [Support, Sales]
    destination:
      type: http
      url: ${urls[customer]}
    authentication:
      type: api-key
      name: x-api-key
      key: \${${secretVariable(customer)}}
${ratePerSecond === undefined ? '' : `    ratePerSecond: ${ratePerSecond}\n`}${
  // An earlier run may have paused it.
  temper === 'down' ? '    state: active\n' : ''
}`,
  );
  return `subscriptions:\n${entries.join('\n')}`;
}

export function bulkYaml(url: string, ratePerSecond?: number): string {
  return `subscriptions:
  - customer: ${BULK_CUSTOMER.customer}
    eventTypes: [${EVENT_TYPE}]
    match:
      company: [${BULK_CUSTOMER.company}]
    destination:
      type: http
      url: ${url}
    maxInFlight: 128
${ratePerSecond === undefined ? '' : `    ratePerSecond: ${ratePerSecond}\n`}`;
}

export const secretVariable = (customer: string) => `${customer.toUpperCase()}_KEY`;
