/** The function that runs each kind of operation, given its record. */
import type { Operation, OperationKind } from '@databridge/schemas/records/operations';
import { z } from 'zod';
import type { ControlPlaneContext } from '../context.ts';
import { eraseCall } from '../erasure/erase.ts';
import { deleteCustomer } from '../subscriptions/delete-customer.ts';
import { discardQuarantine, redriveQuarantine } from './quarantine.ts';
import { redeliver } from './redeliver.ts';
import { discardDeadLetters, redriveDeadLetters } from './redrive.ts';
import { rewind } from './rewind.ts';
import type { Run } from './run.ts';

export interface Tools {
  /** Commits on behalf of the caller that requested the operation. */
  readonly context: ControlPlaneContext;
  readonly run: Run;
  /** Makes a change of another customer, in that customer's queue. */
  change<T>(customer: string, run: (context: ControlPlaneContext) => Promise<T>): Promise<T>;
}

const rewindInput = z.object({
  target: z.discriminatedUnion('kind', [
    z.object({ kind: z.literal('time'), atMs: z.number() }),
    z.object({ kind: z.literal('offset'), offset: z.int() }),
    z.object({ kind: z.literal('earliest') }),
  ]),
  maySkip: z.boolean(),
});
const redeliveryInput = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('event'), eventId: z.string() }),
  z.object({ kind: z.literal('range'), fromMs: z.number().optional(), toMs: z.number().optional() }),
]);
const lettersInput = z.object({
  reasons: z.array(z.string()).optional(),
  keys: z.array(z.string()).optional(),
  force: z.boolean().optional(),
});
const erasureInput = z.object({ requestId: z.string(), fromMs: z.number().optional() });
const deletionInput = z.object({ waiting: z.enum(['discard', 'keep']).optional() });

type Kind = (operation: Operation, tools: Tools) => Promise<object>;

export const KINDS: Readonly<Record<OperationKind, Kind>> = {
  rewind: ({ customer = '', input }, { context, run }) => {
    const { target, maySkip } = rewindInput.parse(input);
    return rewind(context, customer, target, { maySkip }, run);
  },
  redeliver: ({ customer = '', input }, { context, run }) =>
    redeliver(context, customer, redeliveryInput.parse(input) as Parameters<typeof redeliver>[2], run),
  redrive: ({ customer = '', input }, { context, run }) => redriveDeadLetters(context, customer, filterOf(input), run),
  discard: ({ customer = '', input }, { context, run }) => discardDeadLetters(context, customer, filterOf(input), run),
  'redrive-quarantine': ({ input }, { context, run }) =>
    redriveQuarantine(context, { ...filterOf(input), isForced: lettersInput.parse(input).force ?? false }, run),
  'discard-quarantine': ({ input }, { context, run }) => discardQuarantine(context, filterOf(input), run),
  erase: ({ input }, { context, run }) => eraseCall(context, erasureInput.parse(input), run),
  delete: ({ customer = '', input }, { context, run }) =>
    deleteCustomer(context, customer, deletionInput.parse(input).waiting, {}, run),
};

function filterOf(input: Operation['input']) {
  const { reasons, keys } = lettersInput.parse(input);
  return { ...(reasons !== undefined && { reasons }), ...(keys !== undefined && { keys }) };
}
