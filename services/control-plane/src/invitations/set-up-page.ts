/** The set-up page of this control plane, if it has one: its listener, and the listener's access to the API. */
import { randomBytes } from 'node:crypto';
import { DatabridgeError } from '@databridge/kernel/errors';
import type { Logger } from '@databridge/kernel/log';
import type { SealingDesk } from '@databridge/kernel/secrets/sealing-desk';
import { INTAKE_ROLE } from '@databridge/schemas/rights/route-rights';
import type { FastifyInstance } from 'fastify';
import type { Callers } from '../api/auth/access.ts';
import type { Api } from '../api/context.ts';
import type { ControlPlaneConfig } from '../config.ts';
import { createListener } from './listener.ts';

/** Built by `npm run build`. */
const FILES = new URL('../../../intake-page/dist/', import.meta.url);

export class SetUpPage {
  readonly #config: Pick<ControlPlaneConfig, 'INTAKE_PORT' | 'INTAKE_HOST' | 'INTAKE_URL' | 'API_TRUSTED_PROXIES'>;
  readonly #log: Logger;
  /** Only this process knows it: the API identifies the listener by it. */
  readonly #token = randomBytes(32).toString('base64url');
  #listener: FastifyInstance | undefined;
  #origin: string | undefined;

  constructor(config: ControlPlaneConfig, log: Logger) {
    this.#config = config;
    this.#log = log;
    this.#origin = config.INTAKE_URL === undefined ? undefined : new URL(config.INTAKE_URL).origin;
  }

  /** @throws {DatabridgeError} DB_CONFLICT if there is no page */
  link = (linkId: string): string => {
    if (this.#origin !== undefined) return `${this.#origin}/s/${linkId}`;
    throw new DatabridgeError(
      'DB_CONFLICT',
      'There is no set-up page: set INTAKE_PORT of the control planes, and INTAKE_URL to where customers reach it',
    );
  };

  /** The callers of the API, and the listener among them. */
  amongCallers(callers: Callers): Callers {
    return {
      ...(callers.callerById && { callerById: (id: string) => callers.callerById?.(id) }),
      callerOf: (token) =>
        token === this.#token ? { id: 'set-up page', name: 'set-up page', role: INTAKE_ROLE } : callers.callerOf(token),
    };
  }

  async open(api: Api, desk: SealingDesk): Promise<void> {
    const { INTAKE_PORT: port, INTAKE_HOST: host, API_TRUSTED_PROXIES: trustedProxies } = this.#config;
    if (port === undefined) return;
    this.#listener = createListener({
      ...{ desk, trustedProxies, files: FILES, log: this.#log },
      ask: async (route, body) => {
        const { statusCode, payload } = await api.inject({
          method: 'POST',
          url: `/v1/intake-page/${route}`,
          headers: { authorization: `Bearer ${this.#token}`, 'content-type': 'application/json' },
          payload: JSON.stringify(body),
        });
        return { status: statusCode, body: JSON.parse(payload) };
      },
    });
    const address = await this.#listener.listen({ host, port });
    this.#origin ??= new URL(address).origin;
    this.#log.info({ address, intakePort: Number(new URL(address).port) }, 'set-up page open');
  }

  async close(): Promise<void> {
    await this.#listener?.close();
  }
}
