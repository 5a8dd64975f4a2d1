import { LOOPBACK_EGRESS } from '@databridge/kernel/egress/egress-settings';
import { type ServiceProcess, startService } from './processes.ts';

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  // biome-ignore lint/suspicious/noExplicitAny: whatever JSON came
  readonly body: any;
}

export interface Asked {
  readonly body?: unknown;
  readonly headers?: Record<string, string>;
  /** Left out: that of the first who may. */
  readonly token?: string;
}

/** A control plane as a real process, and its API. */
export interface ControlPlane {
  readonly service: ServiceProcess;
  /** Of the API, with `/v1`. */
  readonly url: string;
  /** @param path below `/v1` */
  call(method: string, path: string, asked?: Asked): Promise<Answer>;
}

/** @param tokens who may use it, as `Tokens.generate` makes them */
export async function startControlPlane(
  tokens: readonly { readonly token: string; readonly line: string }[],
  env: Record<string, string> = {},
): Promise<ControlPlane> {
  const service = await startService('control-plane', {
    API_PORT: '0',
    API_TOKENS: tokens.map(({ line }) => line).join(','),
    RETRY_PLAN: '1s*2,2s*2',
    ...LOOPBACK_EGRESS,
    ...env,
  });
  const { apiPort } = await service.waitForLog((line) => typeof line['apiPort'] === 'number');
  const url = `http://127.0.0.1:${apiPort}/v1`;
  return { service, url, call: apiOf(url, tokens[0]?.token ?? '') };
}

/** Calls of the API at that URL (with `/v1`), by that token unless a call names another. */
export function apiOf(url: string, usualToken: string): ControlPlane['call'] {
  return async (method, path, { body, headers = {}, token = usualToken } = {}) => {
    const response = await fetch(`${url}${path}`, {
      method,
      headers: {
        ...(token !== '' && { authorization: `Bearer ${token}` }),
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    return { status: response.status, headers: response.headers, body: text === '' ? undefined : JSON.parse(text) };
  };
}
