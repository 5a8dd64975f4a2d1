/** What every route is given. */
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
  /** As the delivery workers have it. */
  readonly retryPlan: RetryPlan;
  readonly doctor: Pick<DoctorParts, 'eventTypes' | 'registry'>;
  readonly intake: Intake;
  /** @param linkId of an invitation @throws {DatabridgeError} DB_CONFLICT where there is no set-up page */
  readonly invitationLink: (linkId: string) => string;
  readonly change: MakeChange;
  readonly operate: Operate;
  readonly streamLimits: StreamLimits;
}

/**
 * Makes a change in the name of the caller, one after the other for a customer.
 * @param customer undefined: of none
 * @param run is given what it reads and writes with
 */
export type MakeChange = <T>(
  request: Pick<FastifyRequest, 'caller'> & Partial<Pick<FastifyRequest, 'underKey'>>,
  customer: string | undefined,
  run: (operations: ControlPlaneContext) => Promise<T>,
) => Promise<T>;
