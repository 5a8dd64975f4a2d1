/** Mistakes that no part of a subscription shows alone: parts that don't go together. */
import { DEFAULT_TIMEOUT_MS, PHASE_LIMITS } from './destination.ts';
import type { Issue } from './issue-words.ts';
import { keyMismatch } from './tls-identity.ts';
import { regionOfHost } from './url-rules.ts';

type Loose = Readonly<Record<string, unknown>>;

/** @param given not checked yet: so that all mistakes are told at once, these are looked for in broken parts too */
export function misfits(given: unknown): Issue[] {
  const subscription = asMap(given);
  return [...ofDestination(subscription), ...ofAws(subscription), ...ofOAuth(subscription), ...ofTls(subscription)];
}

function ofDestination(subscription: Loose): Issue[] {
  const destination = asMap(subscription['destination']);
  const { type } = destination;
  const authentication = asMap(subscription['authentication'])['type'] ?? 'none';
  const issues: Issue[] = [];
  const isQueueOrTopic = type === 'sns' || type === 'sqs';
  if (isQueueOrTopic && authentication !== 'aws') issues.push(at('authentication.type', `must be aws for ${type}`));
  if (type === 'http' && authentication === 'aws') {
    issues.push(at('authentication.type', 'aws goes with the destinations api-gateway, sns and sqs'));
  }
  if (isQueueOrTopic && subscription['tls'] !== undefined) issues.push(at('tls', `does not go with ${type}`));
  if (isQueueOrTopic && subscription['signing'] !== undefined) {
    issues.push(at('signing', `does not go with ${type}: AWS authenticates the sender`));
  }
  if (destination['handshake'] === true && !String(destination['format']).startsWith('cloudevents')) {
    issues.push(at('destination.handshake', "is CloudEvents': choose a cloudevents format"));
  }
  const address = type === 'sqs' ? 'queueUrl' : type === 'api-gateway' && authentication === 'aws' ? 'url' : undefined;
  if (address !== undefined && destination['region'] === undefined) {
    const text = destination[address];
    if (typeof text === 'string' && URL.canParse(text) && regionOfHost(text) === undefined) {
      issues.push(at('destination.region', `is missing, and can't be told from ${address}`));
    }
  }
  const wholeMs = destination['timeoutMs'] ?? DEFAULT_TIMEOUT_MS;
  for (const name of PHASE_LIMITS) {
    const limitMs = destination[name];
    if (typeof limitMs === 'number' && typeof wholeMs === 'number' && limitMs > wholeMs) {
      issues.push(at(`destination.${name}`, `must be at most ${wholeMs}, the timeoutMs of the whole`));
    }
  }
  return issues;
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
  const isGet = authentication['method'] === 'GET';
  const body = Object.keys(asMap(authentication['body']));
  const query = Object.keys(asMap(authentication['query']));
  if (isGet && body.length > 0) issues.push(at('authentication.body', 'a GET has none: use query'));
  for (const name of ['scope', 'audience']) {
    const place = body.includes(name) ? 'body' : isGet && query.includes(name) ? 'query' : undefined;
    if (authentication[name] !== undefined && place !== undefined) {
      issues.push({ path: ['authentication', place, name], message: `stands under authentication.${name} already` });
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

const at = (path: string, message: string): Issue => ({ path: path.split('.'), message });

function asMap(value: unknown): Loose {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Loose) : {};
}
