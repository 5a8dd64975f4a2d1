/**
 * Reads the subscription in a body: checks it, and completes it with the fields that belong to others than the caller.
 */
import { forbiddenFields, withOthersFields } from '@databridge/schemas/rights/changes';
import type { Role } from '@databridge/schemas/rights/route-rights';
import { parseSubscription, type Subscription } from '@databridge/schemas/subscription/subscription';
import type { FastifySchemaCompiler } from 'fastify';
import { validatorCompiler } from 'fastify-type-provider-zod';
import { RefusedFields } from '../../../subscriptions/checks/refused-fields.ts';
import type { FileSubscription } from '../../../subscriptions/kept-settings.ts';
import { InvalidBody, type Misfit } from '../../problem.ts';

/** The same schema as the body's, but with messages that name every mistake by its place: {@link parsedBody}. */
export const bodyByParseSubscription: FastifySchemaCompiler<unknown> = (part) =>
  part.httpPart === 'body' ? (value: unknown) => ({ value }) : validatorCompiler(part as never);

/**
 * @param before the stored subscription; undefined if it is new
 * @param refusalsOf the mistakes by the settings of the deployment
 * @throws {InvalidBody} with every mistake
 * @throws {RefusedFields} DB_FORBIDDEN with every field that belongs to others and would change
 */
export function parsedBody(
  customer: string,
  body: unknown,
  role: Role,
  before: Subscription | undefined,
  refusalsOf: (subscription: Subscription) => readonly Misfit[] = () => [],
): FileSubscription {
  if (!isMap(body)) throw new InvalidBody([{ path: [], message: 'must be an object' }]);
  // This comes before the check: fields that are not the caller's need not be valid.
  const forbidden = forbiddenFields(role, before, body);
  if (forbidden.length > 0) throw new RefusedFields('DB_FORBIDDEN', forbidden);
  const { customer: _, enableEpoch: __, awaitsApproval: ___, ...settings } = body;
  const strange = asRead(body, {
    ...{ customer, enableEpoch: before?.enableEpoch, awaitsApproval: before?.awaitsApproval },
  });
  const completed = before === undefined ? settings : withOthersFields(role, settings, before);
  const parsed = parseSubscription({ ...completed, customer });
  const { subscription, replaced } = parsed.ok ? { ...parsed, replaced: undefined } : (parsed.sound ?? {});
  const refused = subscription === undefined ? [] : refusalsOf(subscription);
  const misfits = [
    ...strange,
    ...(parsed.ok ? [] : parsed.issues),
    ...refused.filter(({ path }) => replaced?.has(String(path[0])) !== true),
  ];
  if (!parsed.ok || misfits.length > 0) throw new InvalidBody(misfits);
  return { subscription: parsed.subscription, sets: 'state' in body ? ['state'] : [] };
}

/** Fields that answers show and nobody sets may be sent back as they were read. */
function asRead(body: Readonly<Record<string, unknown>>, read: Readonly<Record<string, unknown>>): Misfit[] {
  return Object.entries(read).flatMap(([name, value]) => {
    if (body[name] === undefined || body[name] === value) return [];
    const now = value === undefined ? 'leave it out' : `leave it out, or send ${JSON.stringify(value)}, as it is`;
    return [{ path: [name], message: `cannot be changed by a body: ${now}` }];
  });
}

/** JSON merge patch (RFC 7396): null removes, maps are merged, everything else replaces. */
export function mergePatch(target: unknown, patch: unknown): unknown {
  if (!isMap(patch)) return patch;
  const merged = new Map(isMap(target) ? Object.entries(target) : []);
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) merged.delete(name);
    else merged.set(name, mergePatch(merged.get(name), value));
  }
  return Object.fromEntries(merged);
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
