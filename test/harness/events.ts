export { type RootCauseEvent, rootCauseEvent } from '@databridge/demo/customers/root-cause-event';
