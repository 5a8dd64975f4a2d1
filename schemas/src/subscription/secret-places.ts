/** The places of secrets in a subscription: the single list that all code that handles secrets uses. */
import type { Subscription } from './subscription.ts';

/** Replaces a secret in answers. If it is sent back, it means the secret that is stored at that place. */
export const SECRET_MASK = '[secret]';

type Path = readonly (string | number)[];

/** `*` represents any one step: a name, or an index of a list. */
export const SECRET_PLACES: readonly string[] = [
  'authentication.password',
  'authentication.key',
  'authentication.clientSecret',
  'authentication.clientKey',
  'authentication.secretAccessKey',
  'authentication.headers.*.secret',
  'authentication.query.*.secret',
  'authentication.body.*.secret',
  'tls.clientKey',
  'signing.secrets.*',
  'fallbacks.*.secret',
];
const PATHS = SECRET_PLACES.map((place) => place.split('.'));

/** The steps that lead to places of secrets; `undefined` after the last step. */
type Steps = ReadonlyMap<string, Steps> | undefined;
const STEPS = stepsOf(PATHS);

function stepsOf(paths: readonly (readonly string[])[]): Steps {
  const byFirst = Map.groupBy(paths, ([first = '']) => first);
  return new Map(
    [...byFirst].map(([first, through]) => {
      const rest = through.map((path) => path.slice(1)).filter((path) => path.length > 0);
      return [first, rest.length === 0 ? undefined : stepsOf(rest)];
    }),
  );
}

/**
 * Returns whether the place contains a secret: the places that {@link mapSecrets} visits, also in an unchecked
 * subscription.
 */
export function isSecretPath(path: Path): boolean {
  return PATHS.some(
    (place) => place.length === path.length && place.every((step, i) => step === '*' || step === String(path[i])),
  );
}

const OF_FALLBACK = /^fallbacks\.(.+)\.secret$/;

/** The place that a seal is bound to: for a fallback, the place where it was before. */
export const placeOfSeal = (path: string): string => OF_FALLBACK.exec(path)?.[1] ?? path;

/**
 * The same subscription with every secret mapped; parts without secrets are shared with it. `path` names the secret's
 * place, such as `authentication.key`.
 */
export function mapSecrets<A, B>(subscription: Subscription<A>, map: (secret: A, path: string) => B): Subscription<B> {
  return mapAt(subscription, STEPS, '', map as (secret: unknown, path: string) => unknown) as Subscription<B>;
}

/** @param steps the next steps to secrets; `undefined` if the value is one */
function mapAt(value: unknown, steps: Steps, path: string, map: (secret: unknown, path: string) => unknown): unknown {
  if (value === undefined) return value;
  if (steps === undefined) return map(value, path);
  if (typeof value !== 'object' || value === null) return value;
  const mapStep = (step: string, one: unknown) => {
    const known = steps.has(step) ? step : '*';
    if (!steps.has(known)) return one;
    return mapAt(one, steps.get(known), path === '' ? step : `${path}.${step}`, map);
  };
  if (Array.isArray(value)) return value.map((one, index) => mapStep(String(index), one));
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, mapStep(key, one)]));
}

/** The places of the secrets in use, with their values; fallbacks are left out. */
export function secretsInUse<S>(subscription: Subscription<S>): Map<string, S> {
  const places = new Map<string, S>();
  mapSecrets(subscription, (secret, path) => {
    if (!path.startsWith('fallbacks.')) places.set(path, secret);
  });
  return places;
}

/** The same subscription with another secret at one place. */
export function withSecretAt<S>(subscription: Subscription<S>, place: string, secret: S): Subscription<S> {
  return mapSecrets(subscription, (now, path) => (path === place ? secret : now));
}

/** {@link mapSecrets} for a mapping that takes time, as sealing does. */
export async function mapSecretsAsync<A, B>(
  subscription: Subscription<A>,
  map: (secret: A, path: string) => Promise<B>,
): Promise<Subscription<B>> {
  const pending: Promise<B>[] = [];
  mapSecrets(subscription, (secret, path) => pending.push(map(secret, path)));
  const mapped = await Promise.all(pending);
  // Both walks visit the same places in the same order.
  let next = 0;
  return mapSecrets(subscription, () => mapped[next++] as B);
}
