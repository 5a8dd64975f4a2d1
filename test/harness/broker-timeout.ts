/** Tests on a real broker wait for real group joins, session time-outs and restarts. Jest takes no time-out by project. */
import.meta.jest.setTimeout(60_000);
