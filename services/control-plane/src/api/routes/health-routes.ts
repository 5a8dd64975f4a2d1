/** The state of the service itself, in one answer. */
import { z } from 'zod';
import { examineRegistry } from '../../doctor/registry-check.ts';
import { gatherState } from '../../observe/gather-state.ts';
import type { Api, ApiContext } from '../context.ts';
import type { ForwardingWriter } from '../forward.ts';
import { problems } from '../problem.ts';

const healthAnswer = z
  .object({
    writer: z
      .object({
        isThisOne: z.boolean().describe('the control plane that answered makes the changes'),
        origin: z
          .string()
          .optional()
          .describe('address of the control plane that makes the changes; absent: there is none at the moment'),
      })
      .describe('of the control planes, one makes all changes'),
    workers: z.object({
      alive: z.int(),
      dead: z.int(),
      failing: z.int().describe('live ones that fail for a customer'),
    }),
    customers: z.object({ active: z.int(), paused: z.int(), disabled: z.int(), unattended: z.int() }),
    intakeLag: z.record(z.string(), z.int()).describe('records that fan-out has not committed, by intake topic'),
    quarantined: z.int().describe('records in the quarantine, at most'),
    registry: z.object({ verdict: z.enum(['ok', 'fault', 'unknown']), detail: z.string() }),
    keyIds: z.object({
      controlPlane: z.array(z.string()).describe('the current one first: new secrets are sealed under it'),
      workers: z.record(z.string(), z.array(z.string())).describe('of live workers, by name'),
    }),
  })
  .meta({ id: 'Health' });

type Parts = Pick<ApiContext, 'operations' | 'doctor'> & { readonly writer: ForwardingWriter };

export function healthRoutes(api: Api, { operations, doctor, writer }: Parts): void {
  api.get(
    '/v1/health',
    {
      config: { isExpensive: true },
      schema: {
        tags: ['operations'],
        summary: 'The writer, workers, customers by state, lag of the intake, the registry, key ids',
        response: { 200: healthAnswer, ...problems },
      },
    },
    async () => {
      const { eventTypes, registry } = doctor;
      const [state, findings, owner] = await Promise.all([
        gatherState(
          operations,
          eventTypes.map(({ topic }) => topic),
        ),
        examineRegistry(
          registry,
          eventTypes.map(({ subject }) => subject),
        ),
        writer.owner(),
      ]);
      const origin = writer.isOwner ? writer.origin : owner?.origin;
      const workers = operations.workers();
      const alive = workers.filter(({ isAlive }) => isAlive);
      const [first] = findings;
      return {
        writer: { isThisOne: writer.isOwner, ...(origin !== undefined && { origin }) },
        workers: {
          alive: alive.length,
          dead: workers.length - alive.length,
          failing: alive.filter(({ report }) => report.failing.length > 0).length,
        },
        customers: { ...state.byState, unattended: state.unattended },
        intakeLag: Object.fromEntries(state.intakeWaiting),
        quarantined: state.quarantined,
        registry: { verdict: first?.verdict ?? 'unknown', detail: findings.map(({ detail }) => detail).join(' ') },
        keyIds: {
          controlPlane: [...operations.desk.kids],
          workers: Object.fromEntries(alive.map(({ report }) => [report.worker, [...(report.keyIds ?? [])]])),
        },
      };
    },
  );
}
