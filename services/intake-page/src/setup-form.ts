/**
 * The form in which a customer enters its destination, and how that authenticates us. It is a script of its own, which
 * the page loads after a code for a set-up was accepted.
 */
import { certificatePart } from './certificate.ts';
import { el, field } from './dom.ts';
import { chooser, fieldsOf, MASK } from './fields.ts';
import type { Form } from './form.ts';
import { ALLOWED, AUTHENTICATIONS, AUTHORITY, AWS_KINDS, DESTINATIONS, EMAIL, TLS } from './kinds.ts';
import { makeClientKey, makeSigningKey } from './made-keys.ts';
import { parametersPart } from './parameters.ts';

export interface SetupFormParts {
  /** Creates a key and its certificate request. */
  readonly request: Parameters<typeof certificatePart>[0];
  /** Whether the customer gets operational notices only, which may be sent by mail. */
  readonly isForNotices: boolean;
}

export function setupForm({ request, isForNotices }: SetupFormParts): Form {
  const requested = certificatePart(request);
  const tls = chooser('Client certificate', 'tls', TLS, { request: asPart(requested.nodes) });
  const authority = fieldsOf('tls', AUTHORITY);
  const parameters = parametersPart();
  const further = { oauth: parameters, 'oauth-key': parameters };
  const authentication = chooser('Authentication', 'authentication', AUTHENTICATIONS, further);
  const kinds = isForNotices ? { ...DESTINATIONS, email: EMAIL } : DESTINATIONS;
  const signing = el('input', { type: 'checkbox' });
  const sign = el('label', {}, signing, ' Sign every request by a new key (Ed25519), of which you get the public key');
  const mutualTls = el('details', {}, el('summary', {}, 'Mutual TLS'), ...tls.nodes, ...authority.nodes);
  const destination = chooser('Destination', 'destination', kinds, {}, (kind) => {
    authentication.limit(ALLOWED[kind] ?? []);
    mutualTls.hidden = AWS_KINDS.includes(kind);
    sign.hidden = mutualTls.hidden || kind === 'email';
  });
  const rate = field('Maximum events per second', { hint: 'Empty: no limit.' });
  const signingKey = once(makeSigningKey);
  const clientKey = once(makeClientKey);
  return {
    nodes: [...destination.nodes, ...authentication.nodes, ...[mutualTls, sign], ...rate.nodes],
    async read() {
      const secrets: Record<string, string> = {};
      const publicKeys: [string, string][] = [];
      const stated = authentication.read(secrets);
      if (secrets['authentication.clientKey'] === '') {
        const made = await clientKey(stated['clientKeyId'] as string | undefined);
        secrets['authentication.clientKey'] = made.secret;
        publicKeys.push(['Register this public key (JWK): ', made.publicKey]);
      }
      const isSigned = signing.checked && !sign.hidden;
      if (isSigned) {
        const made = await signingKey();
        secrets['signing.secrets.0'] = made.secret;
        publicKeys.push(['Requests are signed (Standard Webhooks, v1a). Verify them by: ', made.publicKey]);
      }
      const { type: how, ...own } = mutualTls.hidden ? { type: 'none' } : tls.read(secrets);
      const certificates = mutualTls.hidden ? {} : { ...own, ...authority.read(secrets) };
      const certificate = how === 'request' ? requested.read() : undefined;
      if (how === 'request' && certificate === undefined) throw new Error('The signed certificate is missing.');
      const perSecond = rate.input.value.trim();
      return {
        ...{ secrets, publicKeys },
        ...(certificate !== undefined && { certificate }),
        setup: {
          ...{ destination: destination.read(secrets), authentication: stated },
          ...(Object.keys(certificates).length > 0 && { tls: certificates }),
          ...(isSigned && { signing: { secrets: [MASK] } }),
          ...(perSecond !== '' && { ratePerSecond: Number(perSecond) }),
        },
      };
    },
    forget() {
      for (const one of [destination, authentication, tls]) one.forget();
    },
  };
}

const asPart = (nodes: Node[]) => ({ nodes, read: () => ({}), forget: () => undefined });

/** A key is created once: later corrections keep the one that the customer registered. */
function once<A extends unknown[], T>(make: (...given: A) => Promise<T>): (...given: A) => Promise<T> {
  let made: Promise<T> | undefined;
  return (...given) => {
    made ??= make(...given);
    return made;
  };
}
