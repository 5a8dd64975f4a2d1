import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { DatabridgeError, messageOf } from '@databridge/kernel/errors';
import { systemClock } from '@databridge/kernel/time/clock';
import { Webhook } from 'standardwebhooks';

export interface Received {
  readonly atMs: number;
  readonly id: string | undefined;
  /** The attempt's number, as the service counts; the first is 1. */
  readonly attempt: number | undefined;
  readonly eventType: string | undefined;
  /** `unchecked`: no secret was given. */
  readonly signature: 'valid' | 'invalid' | 'unchecked';
  /** Why the signature is not valid. */
  readonly problem?: string;
  /** The status of our answer. */
  readonly status: number;
  /** Parsed if it is JSON, otherwise as text. */
  readonly body: unknown;
}

export interface ReceiverOptions {
  /** 0 takes a free port. */
  readonly port: number;
  readonly host: string;
  /** `whsec_` and base64. */
  readonly secret?: string;
  /** If omitted, 200, or 401 for a signature that is not valid. */
  readonly status?: number;
  readonly retryAfterSeconds?: number;
  onReceived(received: Received): void;
}

/** More than the largest event (docs/produce.md) in its JSON rendering. */
const MAX_BODY_BYTES = 16 * 1_048_576;

/** @throws {DatabridgeError} DB_INPUT_INVALID if the secret is not base64, or the port can't be listened on */
export async function startReceiver(
  options: ReceiverOptions,
): Promise<{ readonly url: string; stop(): Promise<void> }> {
  const { port, host, retryAfterSeconds } = options;
  const webhook = webhookOf(options.secret);
  const server = createServer(async (request, response) => {
    const body = await bodyOf(request).catch(() => undefined);
    if (body === undefined) return void response.destroy();
    const verdict = verify(webhook, body, request);
    const status = options.status ?? (verdict.signature === 'invalid' ? 401 : 200);
    if (retryAfterSeconds !== undefined) response.setHeader('retry-after', retryAfterSeconds);
    response.writeHead(status).end();
    const attempt = Number(request.headers['databridge-attempt']);
    options.onReceived({
      atMs: systemClock.nowMs(),
      id: headerOf(request, 'webhook-id'),
      attempt: Number.isInteger(attempt) ? attempt : undefined,
      eventType: headerOf(request, 'databridge-event-type'),
      ...verdict,
      status,
      body: parsed(body),
    });
  });
  server.listen(port, host);
  try {
    await once(server, 'listening');
  } catch (error) {
    throw new DatabridgeError(
      'DB_INPUT_INVALID',
      `Port ${port} of ${host} cannot be listened on (${messageOf(error)}): choose another with --port`,
    );
  }
  const { address, port: taken, family } = server.address() as AddressInfo;
  return {
    url: `http://${family === 'IPv6' ? `[${address}]` : address}:${taken}`,
    async stop() {
      server.close();
      server.closeIdleConnections();
      const closed = once(server, 'close');
      server.closeAllConnections();
      await closed;
    },
  };
}

function webhookOf(secret: string | undefined): Webhook | undefined {
  try {
    return secret === undefined ? undefined : new Webhook(secret);
  } catch {
    // The library's message may contain the secret.
    throw new DatabridgeError('DB_INPUT_INVALID', 'The signing secret is not whsec_ followed by base64');
  }
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > MAX_BODY_BYTES) throw new Error(`the body has more than ${MAX_BODY_BYTES} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function verify(
  webhook: Webhook | undefined,
  body: string,
  request: IncomingMessage,
): Pick<Received, 'signature' | 'problem'> {
  if (webhook === undefined) return { signature: 'unchecked' };
  const names = ['webhook-id', 'webhook-timestamp', 'webhook-signature'];
  try {
    webhook.verify(body, Object.fromEntries(names.map((name) => [name, headerOf(request, name) ?? ''])));
    return { signature: 'valid' };
  } catch (error) {
    // It verifies first, and parses after: a body that is not JSON has a valid signature.
    return error instanceof SyntaxError ? { signature: 'valid' } : { signature: 'invalid', problem: messageOf(error) };
  }
}

function headerOf({ headers }: IncomingMessage, name: string): string | undefined {
  const value = headers[name];
  return Array.isArray(value) ? value.join(', ') : value;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
