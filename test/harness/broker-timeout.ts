/**
 * Tests on a real broker wait for real group joins, session time-outs and restarts, on machines that are slow at times:
 * longer than each single wait, whose message says more. Jest takes no time-out by project.
 */
jest.setTimeout(240_000);
