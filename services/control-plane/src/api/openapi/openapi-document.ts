import { createLogger } from '@databridge/kernel/log';
import { Tokens } from '@databridge/kernel/secrets/tokens';
import type { ControlPlaneContext } from '../../context.ts';
import { createApi } from '../api.ts';

/** The document of `/v1/openapi.json`. No route is called, so nothing needs to be connected. */
export async function openApiDocument(): Promise<unknown> {
  const nothing = {
    find: () => [],
    events: () => [],
    listen: () => () => {},
    since: () => ({ attempts: [], isWhole: true }),
  };
  const log = createLogger('control-plane', 'silent');
  const writer = {
    isOwner: true,
    origin: undefined,
    owner: async () => undefined,
    change: () => Promise.reject(new Error('nothing is called')),
  };
  const neverCalled = () => Promise.reject(new Error('nothing is called'));
  const events = { render: neverCalled, open: neverCalled };
  const intake = { eventTypes: [], schemaIdOf: () => Promise.reject(new Error('nothing is called')) };
  const operations = { log } as ControlPlaneContext;
  const api = await createApi({ operations, attempts: nothing, events, intake, callers: new Tokens(''), writer, log });
  return JSON.parse(JSON.stringify(api.swagger()));
}
