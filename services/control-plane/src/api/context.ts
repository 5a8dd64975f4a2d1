/** The context that every route receives. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { RetryPlan } from '@databridge/schemas/retries/retry-plan';
import type { FastifyBaseLogger, FastifyInstance, FastifyRequest, RawServerDefault } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import type { ControlPlaneContext } from '../context.ts';
import type { DoctorParts } from '../doctor/examine.ts';
import type { Intake } from '../operations/produce-event.ts';
import type { AttemptView } from '../views/attempts/attempt-view.ts';
import type { EventRenderer } from '../views/render-event.ts';
import type { StreamLimits } from './limits/live-streams.ts';
import type { Operate } from './operate.ts';

export type Api = FastifyInstance<
  RawServerDefault,
  IncomingMessage,
  ServerResponse,
  FastifyBaseLogger,
  ZodTypeProvider
>;

export interface ApiContext {
  readonly operations: ControlPlaneContext;
  readonly attempts: Pick<AttemptView, 'find' | 'events' | 'listen' | 'since'>;
  readonly events: Pick<EventRenderer, 'render' | 'open'>;
  /** The same value as the delivery workers have. */
  readonly retryPlan: RetryPlan;
  readonly doctor: Pick<DoctorParts, 'eventTypes' | 'registry'>;
  readonly intake: Intake;
  /** @param linkId of an invitation @throws {DatabridgeError} DB_CONFLICT if there is no set-up page */
  readonly invitationLink: (linkId: string) => string;
  readonly change: MakeChange;
  readonly operate: Operate;
  readonly streamLimits: StreamLimits;
}

/**
 * Makes a change on behalf of the caller; changes of one customer run one after the other.
 * @param customer undefined if it concerns no customer
 * @param run receives the context to read and write with
 */
export type MakeChange = <T>(
  request: Pick<FastifyRequest, 'caller'> & Partial<Pick<FastifyRequest, 'underKey'>>,
  customer: string | undefined,
  run: (operations: ControlPlaneContext) => Promise<T>,
) => Promise<T>;
