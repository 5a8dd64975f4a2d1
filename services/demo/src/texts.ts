/** The fixed texts of `npm run demo`, in the order in which it prints them. docs/demo.svg shows them too. */
import { BULK_CUSTOMER } from './customers/cast.ts';

export const TITLES = {
  start: 'Databridge Events',
  live: '300 events on their way',
  books: 'Does it add up?',
  notices: 'Notices to the operators',
  throughput: 'How fast is one worker?',
} as const;

/** Each step is printed with its duration. */
export const STEPS = {
  platform: 'Kafka and a schema registry of its own run on this machine',
  portal: 'the portal is built',
  controlPlane: 'the control plane is ready',
  applied: 'three customers applied by its API: topics created, secrets sealed',
  services: 'fan-out and one delivery worker are ready',
  disabled: 'an operator disabled the customer whose API is down',
  notified: 'all expected notices arrived',
  stopped: 'the delivery worker finished what was in flight and stopped',
  backlog: `${BULK_CUSTOMER.events.toLocaleString('en')} events of about 2 KB for "${BULK_CUSTOMER.customer}" are in its delivery topic`,
  worker: 'one fresh delivery worker started',
  delivered: 'all of them delivered',
  again: 'the control plane is ready again',
} as const;

/** The lines of the settlement: each event ends in exactly one of them. */
export const BOXES = {
  delivered: 'delivered',
  waiting: 'waiting',
  dead: 'dead-lettered',
  unmatched: 'unmatched',
  quarantined: 'quarantined',
} as const;

export const VERDICTS = {
  addsUp: 'every event is in exactly one place, by its id.',
  allDelivered: 'all of them accounted for as delivered',
} as const;
