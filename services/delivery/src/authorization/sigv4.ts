import { createHash, createHmac, type Hash, type Hmac } from 'node:crypto';
import type { HttpRequest } from '@smithy/protocol-http';
import type { SignatureV4 } from '@smithy/signature-v4';
import type { Authorization, Authorizer, Unauthorized } from './authorizer.ts';
import { type AwsCredentials, CredentialsError } from './aws-credentials.ts';

export interface SigV4Options {
  readonly credentials: AwsCredentials;
  readonly region: string;
  /** The name of the service in signatures: `execute-api`, `sqs`. */
  readonly service: string;
  /** Closes the connections that are used to obtain the credentials. */
  readonly close: () => Promise<void>;
}

interface Loaded {
  readonly Request: typeof HttpRequest;
  readonly signer: SignatureV4;
}

/** Loaded with the first request that is signed: a worker without such customers starts without the library. */
async function load({ credentials, region, service }: SigV4Options): Promise<Loaded> {
  const [{ HttpRequest: Request }, { SignatureV4: Signer }] = await Promise.all([
    import('@smithy/protocol-http'),
    import('@smithy/signature-v4'),
  ]);
  return { Request, signer: new Signer({ service, region, credentials, sha256: Sha256 }) };
}

/** Signs each request by AWS Signature Version 4. */
export class SigV4 implements Authorizer {
  readonly #options: SigV4Options;
  #loaded: Loaded | undefined;

  constructor(options: SigV4Options) {
    this.#options = options;
  }

  async authorize({ method, url, headers, body }: Unauthorized, nowMs: number): Promise<Authorization> {
    try {
      // The credentials are requested here as well, so that a failure to get them is distinguished from a failure to
      // sign.
      await this.#options.credentials();
    } catch (error) {
      if (!(error instanceof CredentialsError)) throw error;
      return { outcome: error.outcome };
    }
    // Proxies may change this header, so AWS's own signers leave it out.
    const { traceparent: _unsigned, ...toSign } = headers;
    this.#loaded ??= await load(this.#options);
    const { Request, signer } = this.#loaded;
    const request = new Request({
      method,
      protocol: url.protocol,
      hostname: url.hostname,
      path: url.pathname,
      query: queryBag(url.searchParams),
      headers: { host: url.host, ...toSign },
      body,
    });
    const signed = await signer.sign(request, { signingDate: new Date(nowMs) });
    const added = Object.entries(signed.headers).filter(
      ([name]) => name === 'authorization' || name.startsWith('x-amz-'),
    );
    return { headers: { host: url.host, ...Object.fromEntries(added) } };
  }

  discardRejected(): boolean {
    return this.#options.credentials.discardRejected();
  }

  close(): Promise<void> {
    return this.#options.close();
  }
}

/** @returns names and values decoded, with the values of one name in their order */
function queryBag(parameters: URLSearchParams): Record<string, string | string[]> {
  return Object.fromEntries(
    [...new Set(parameters.keys())].map((name) => {
      const values = parameters.getAll(name);
      return [name, values.length === 1 ? (values[0] ?? '') : values];
    }),
  );
}

/** Node's SHA-256, with the interface that the signer expects. */
export class Sha256 {
  readonly #secret: string | ArrayBuffer | ArrayBufferView | undefined;
  #hash: Hash | Hmac;

  constructor(secret?: string | ArrayBuffer | ArrayBufferView) {
    this.#secret = secret;
    this.#hash = this.#begin();
  }

  update(data: string | ArrayBuffer | ArrayBufferView): void {
    this.#hash.update(bytes(data));
  }

  async digest(): Promise<Uint8Array> {
    return this.#hash.digest();
  }

  reset(): void {
    this.#hash = this.#begin();
  }

  #begin(): Hash | Hmac {
    return this.#secret === undefined ? createHash('sha256') : createHmac('sha256', bytes(this.#secret));
  }
}

function bytes(data: string | ArrayBuffer | ArrayBufferView): Uint8Array | string {
  if (typeof data === 'string') return data;
  return ArrayBuffer.isView(data)
    ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
    : new Uint8Array(data);
}
