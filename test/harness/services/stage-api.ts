/**
 * The control plane's API in the test's own process, over a stage's connections: every route as the service has it. What
 * it lacks is what a process of its own would cost each test file: the group that elects a writer, and the attempts.
 */
import { createApi } from '@databridge/control-plane/api/api';
import type { Api } from '@databridge/control-plane/api/context';
import type { ControlPlaneContext } from '@databridge/control-plane/context';
import { Tokens } from '@databridge/kernel/secrets/tokens';

export class StageApi {
  readonly #api: Api;
  readonly #token: string;

  private constructor(api: Api, token: string) {
    this.#api = api;
    this.#token = token;
  }

  static async open(operations: ControlPlaneContext): Promise<StageApi> {
    const { token, line } = Tokens.generate('stage', 'operator');
    const api = await createApi({
      operations,
      attempts: {
        find: () => [],
        events: () => [],
        listen: () => () => undefined,
        since: () => ({ attempts: [], isWhole: true }),
      },
      events: {
        render: async () => ({ unreadable: 'not of a stage' }),
        open: async () => ({ unreadable: 'not of a stage' }),
      },
      intake: { eventTypes: [], schemaIdOf: () => Promise.reject(new Error('not of a stage')) },
      callers: new Tokens(line),
      writer: {
        isOwner: true,
        origin: undefined,
        owner: async () => undefined,
        change: (_who, _customer, run) => run(operations.commit),
      },
      log: operations.log,
    });
    return new StageApi(api, token);
  }

  /**
   * Creates or replaces.
   * @param body as the API takes it
   * @returns the state that the customer had; undefined: it is new
   * @throws what the API answers
   */
  async put(customer: string, body: object): Promise<string | undefined> {
    const found = await this.#call('GET', customer);
    const etag = found.headers.etag;
    const condition = etag === undefined ? { 'if-none-match': '*' } : { 'if-match': String(etag) };
    const answer = await this.#call('PUT', customer, body, condition);
    if (answer.statusCode >= 300) throw new Error(`PUT ${customer}: ${answer.statusCode} ${answer.body}`);
    return answer.statusCode === 201 ? undefined : String(found.json().state);
  }

  /** @param action such as `pause` */
  async act(customer: string, action: string): Promise<void> {
    const answer = await this.#call('POST', `${customer}/${action}`);
    if (answer.statusCode >= 300) throw new Error(`${action} ${customer}: ${answer.statusCode} ${answer.body}`);
  }

  #call(method: 'GET' | 'PUT' | 'POST', path: string, payload?: object, headers: Record<string, string> = {}) {
    return this.#api.inject({
      method,
      url: `/v1/subscriptions/${path}`,
      headers: { authorization: `Bearer ${this.#token}`, ...headers },
      ...(payload !== undefined && { payload }),
    });
  }

  async close(): Promise<void> {
    await this.#api.close();
  }
}
