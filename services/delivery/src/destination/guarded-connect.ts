import { buildConnector } from 'undici';

export type ConnectOptions = buildConnector.BuildOptions;
export type Connector = buildConnector.connector;

/**
 * Makes the function by which every socket to the outside is dialled: to destinations, token endpoints, AWS and an
 * egress proxy. Whatever has to be checked of an address is checked here, of the address actually dialled.
 * @param options what TLS needs (`ca`, `cert`, `key`), `timeout` in ms, `allowH2`
 */
export type GuardedConnect = (options: ConnectOptions) => Connector;

/** Dials whatever it is told to. */
export const connectAnywhere: GuardedConnect = (options) => buildConnector(options);
