import { type Outcome, outcomeOfTrouble } from '../../attempt/outcome.ts';
import type { Answered, Seen } from '../../egress/exchange.ts';

/**
 * The least rate that is accepted, one event per hour. A destination that allows less would stop its customer while its
 * status looked healthy.
 */
const LOWEST_RATE_PER_MINUTE = 1 / 60;

export interface HandshakeOptions {
  /** Identifies the sender: the DNS name by which customers know the service. */
  readonly origin: string;
  /** The rate in the customer's subscription; undefined: no limit. */
  readonly ratePerSecond: () => number | undefined;
  /** Sends the OPTIONS request, authorized as a delivery would be. */
  readonly ask: (headers: Readonly<Record<string, string>>) => Promise<Seen | { readonly outcome: Outcome }>;
  /** Removes secrets from the destination's answer, and truncates it. */
  readonly redact: (text: string, maxChars: number) => string;
  /** Reports the rate that the destination allows. */
  readonly onRate: (ratePerSecond: number) => void;
}

/**
 * Asks for permission to send: CloudEvents 1.0.2, web hooks, §4: an OPTIONS request before the first delivery, answered by the
 * origins and the rate per minute that are allowed. Permission by callback is not asked for.
 * https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/http-webhook.md
 */
export class Handshake {
  readonly #options: HandshakeOptions;
  /** The rate for which permission was granted. After a change of the rate, permission is requested again. */
  #granted: { readonly ratePerSecond: number | undefined } | undefined;
  #asking: Promise<Outcome | undefined> | undefined;

  constructor(options: HandshakeOptions) {
    this.#options = options;
  }

  /** @returns why nothing may be sent; undefined when it may */
  permission(): Outcome | undefined | Promise<Outcome | undefined> {
    if (this.#granted && this.#granted.ratePerSecond === this.#options.ratePerSecond()) return undefined;
    this.#asking ??= this.#ask().finally(() => {
      this.#asking = undefined;
    });
    return this.#asking;
  }

  async #ask(): Promise<Outcome | undefined> {
    const { origin, ask } = this.#options;
    const ratePerSecond = this.#options.ratePerSecond();
    const rate = ratePerSecond === undefined ? '*' : String(Math.max(1, Math.floor(ratePerSecond * 60)));
    const seen = await ask({ 'webhook-request-origin': origin, 'webhook-request-rate': rate });
    if ('outcome' in seen) return seen.outcome;
    if ('trouble' in seen) return outcomeOfTrouble({ ...seen, trouble: `handshake: ${seen.trouble}` });
    return this.#judge(seen, ratePerSecond);
  }

  #judge({ status, headers }: Answered, ratePerSecond: number | undefined): Outcome | undefined {
    const { origin, onRate, redact } = this.#options;
    if (status >= 500 || status === 429) return { kind: 'retry', reason: `handshake: status ${status}`, status };
    const allowed = String(headers['webhook-allowed-origin'] ?? '');
    const isAllowed = allowed.split(',').some((one) => ['*', origin.toLowerCase()].includes(one.trim().toLowerCase()));
    if (status < 200 || status >= 300 || !isAllowed) {
      const said = allowed === '' ? 'no WebHook-Allowed-Origin' : `WebHook-Allowed-Origin: ${redact(allowed, 200)}`;
      return { kind: 'deauthorized', reason: `handshake: ${origin} may not send (status ${status}, ${said})`, status };
    }
    this.#granted = { ratePerSecond };
    const perMinute = allowedPerMinute(headers['webhook-allowed-rate']);
    if (perMinute !== undefined) onRate(perMinute / 60);
    return undefined;
  }
}

/** Proxies repeat the header, or join its repetitions by commas: the lowest rate honours all. `*` is no limit. */
function allowedPerMinute(given: string | readonly string[] | undefined): number | undefined {
  const rates = [given ?? []]
    .flat()
    .flatMap((value) => value.split(','))
    .map((value) => (/^\s*\d+(?:\.\d+)?\s*$/.test(value) ? Number(value) : 0))
    .filter((rate) => rate > 0);
  return rates.length === 0 ? undefined : Math.max(Math.min(...rates), LOWEST_RATE_PER_MINUTE);
}
