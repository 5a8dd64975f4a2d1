/** Mistakes that concern several parts of a subscription: parts that contradict each other. */
import { DESTINATION_KINDS } from '../destination/destinations.ts';
import { timeIssues } from '../destination/time-limits.ts';
import type { Issue } from './issue-words.ts';
import { keyMismatch } from './tls-identity.ts';

/** The event type of notices; its module needs the file system. */
const NOTICE = 'notice';

type Loose = Readonly<Record<string, unknown>>;

/** @param given not validated yet: invalid parts are checked too, so that all mistakes are reported at once */
export function misfits(given: unknown): Issue[] {
  const subscription = asMap(given);
  return [
    ...[...ofDestination(subscription), ...ofAws(subscription), ...ofOAuth(subscription), ...ofTls(subscription)],
    ...ofNames(subscription),
  ];
}

function ofDestination(subscription: Loose): Issue[] {
  const destination = asMap(subscription['destination']);
  const authentication = String(asMap(subscription['authentication'])['type'] ?? 'none');
  const type = String(destination['type']);
  const kind = DESTINATION_KINDS.get(type);
  if (kind === undefined) return [];
  const issues: Issue[] = [];
  if (!kind.authentications.some((accepted) => accepted === authentication)) {
    issues.push(at('authentication.type', `must be ${kind.authentications.join(' or ')} for ${type}`));
  }
  if (kind.transport === 'aws') {
    if (subscription['tls'] !== undefined) issues.push(at('tls', `does not go with ${type}`));
    if (subscription['signing'] !== undefined) {
      issues.push(at('signing', `does not go with ${type}: AWS authenticates the sender`));
    }
  }
  const eventTypes = subscription['eventTypes'];
  const isOfNotices = Array.isArray(eventTypes) && eventTypes.every((name) => name === NOTICE);
  if (destination['format'] === 'slack' && !isOfNotices) {
    issues.push(at('destination.format', `slack is for notices alone: eventTypes must be [${NOTICE}]`));
  }
  if (kind.onlyNotices === true && !isOfNotices) {
    issues.push(at('destination.type', `${type} is for notices alone: eventTypes must be [${NOTICE}]`));
  }
  if (kind.transport === 'smtp' && subscription['signing'] !== undefined) {
    issues.push(at('signing', `does not go with ${type}`));
  }
  return [...issues, ...(kind.issues?.(destination, authentication) ?? []), ...timeIssues(destination)];
}

function ofAws(subscription: Loose): Issue[] {
  const authentication = asMap(subscription['authentication']);
  if (authentication['type'] !== 'aws') return [];
  const given = (name: string) => authentication[name] !== undefined;
  const hasKeys = given('accessKeyId') || given('secretAccessKey');
  const hasRole = given('roleArn') || given('externalId');
  if (!hasKeys && !hasRole) {
    return [at('authentication', 'needs accessKeyId and secretAccessKey, or roleArn')];
  }
  if (hasKeys && hasRole) return [at('authentication', 'must have either keys or a role, not both')];
  const needed = hasKeys ? ['accessKeyId', 'secretAccessKey'] : ['roleArn'];
  return needed.filter((name) => !given(name)).map((name) => at(`authentication.${name}`, 'is missing'));
}

function ofOAuth(subscription: Loose): Issue[] {
  const authentication = asMap(subscription['authentication']);
  if (authentication['type'] !== 'oauth') return [];
  const issues: Issue[] = [];
  const isByKey = authentication['clientAuthentication'] === 'private-key-jwt';
  const [needed, other] = isByKey ? ['clientKey', 'clientSecret'] : ['clientSecret', 'clientKey'];
  if (authentication[needed] === undefined) issues.push(at(`authentication.${needed}`, 'is missing'));
  const strange = isByKey ? [other] : [other, 'clientKeyId', 'assertionAudience'];
  for (const name of strange.filter((one) => authentication[one] !== undefined)) {
    const how = isByKey ? 'private-key-jwt' : 'a client secret: choose clientAuthentication private-key-jwt';
    issues.push(at(`authentication.${name}`, `does not go with ${how}`));
  }
  const isGet = authentication['method'] === 'GET';
  const body = Object.keys(asMap(authentication['body']));
  const query = Object.keys(asMap(authentication['query']));
  if (isGet && body.length > 0) issues.push(at('authentication.body', 'a GET has none: use query'));
  for (const name of ['scope', 'audience']) {
    const place = body.includes(name) ? 'body' : isGet && query.includes(name) ? 'query' : undefined;
    if (authentication[name] !== undefined && place !== undefined) {
      issues.push({ path: ['authentication', place, name], message: `is already set by authentication.${name}` });
    }
  }
  const inHeader = (authentication['clientAuthentication'] ?? 'header') === 'header';
  for (const name of Object.keys(asMap(authentication['headers']))) {
    if (inHeader && name.toLowerCase() === 'authorization') {
      const message = 'is set by client authentication in the header: choose clientAuthentication body';
      issues.push({ path: ['authentication', 'headers', name], message });
    }
  }
  return issues;
}

function ofTls(subscription: Loose): Issue[] {
  const { clientCertificate: certificate, clientKey: key } = asMap(subscription['tls']);
  if (certificate !== undefined && key === undefined) return [at('tls.clientKey', 'is missing')];
  if (certificate === undefined && key !== undefined) return [at('tls.clientCertificate', 'is missing')];
  if (typeof certificate !== 'string' || typeof key !== 'string') return [];
  const mismatch = keyMismatch(certificate, key);
  return mismatch === undefined ? [] : [at('tls.clientKey', mismatch)];
}

/** The maps whose names people choose. zod leaves this one name out of each without a word. */
const NAMED_BY_PEOPLE = [
  ['destination', 'headers'],
  ['authentication', 'headers'],
  ['authentication', 'query'],
  ['authentication', 'body'],
] as const;

function ofNames(subscription: Loose): Issue[] {
  return NAMED_BY_PEOPLE.flatMap(([outer, inner]) => {
    if (!Object.hasOwn(asMap(asMap(subscription[outer])[inner]), '__proto__')) return [];
    return [{ path: [outer, inner, '__proto__'], message: 'is a name that cannot be used here' }];
  });
}

const at = (path: string, message: string): Issue => ({ path: path.split('.'), message });

function asMap(value: unknown): Loose {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Loose) : {};
}
