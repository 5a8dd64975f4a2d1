/** Routes that concern all customers that the caller may see. */

import { z } from 'zod';
import { examine } from '../../doctor/examine.ts';
import { readIntakeTally } from '../../views/intake-tally.ts';
import { customerStatuses, unattendedCustomers } from '../../views/status.ts';
import { maySee } from '../auth/access.ts';
import type { Api, ApiContext } from '../context.ts';
import { doctorAnswer, intakeAnswer, page, statusAnswer, workersAnswer } from '../openapi/models.ts';
import { problems } from '../problem.ts';

export function overviewRoutes(api: Api, { operations, doctor }: ApiContext): void {
  api.get(
    '/v1/status',
    {
      config: { isExpensive: true },
      schema: {
        tags: ['operations'],
        summary: 'The status of all customers that the caller may see, by name',
        querystring: page,
        response: { 200: z.object({ items: z.array(statusAnswer), next: z.string().optional() }), ...problems },
      },
    },
    async ({ query: { limit, cursor }, caller }) => {
      const after = cursor === undefined ? '' : Buffer.from(cursor, 'base64url').toString('utf8');
      const visible = [...(await operations.subscriptions()).keys()]
        .filter((customer) => customer > after && maySee(caller, customer))
        .sort();
      const customers = visible.slice(0, limit);
      const items = await customerStatuses(operations, customers);
      const last = customers.at(-1);
      const next = visible.length > limit && last !== undefined ? Buffer.from(last).toString('base64url') : undefined;
      return { items: items as unknown as z.infer<typeof statusAnswer>[], ...(next !== undefined && { next }) };
    },
  );

  api.get(
    '/v1/doctor',
    {
      config: { isExpensive: true },
      schema: {
        tags: ['operations'],
        summary: 'Checks Kafka, the registry, topics, rights, keys, clocks, versions and workers, and advises',
        response: { 200: doctorAnswer, ...problems },
      },
    },
    async () => {
      const { isHealthy, findings } = await examine({ operations, ...doctor });
      return { isHealthy, findings: [...findings] };
    },
  );

  api.get(
    '/v1/intake',
    {
      schema: {
        tags: ['operations'],
        summary: 'How many intake records left no copy behind, and how many copies filters excluded',
        response: { 200: intakeAnswer, ...problems },
      },
    },
    async () => await readIntakeTally(operations.admin),
  );

  api.get(
    '/v1/workers',
    {
      schema: {
        tags: ['operations'],
        summary: 'Delivery workers, dead ones included, and active customers that no live worker runs',
        response: { 200: workersAnswer, ...problems },
      },
    },
    async () => {
      // Computed before the workers are, without a wait in between: both describe the same moment.
      const unattended = await unattendedCustomers(operations);
      const items = operations.workers().map(({ report, silentForMs, isAlive, hasNamesake }) => {
        const { worker, version, startedAtMs, customers, partitions, failing } = report;
        return {
          ...{ worker, version, startedAtMs, isAlive, hasNamesake, silentForMs: Math.round(silentForMs) },
          ...{ customers: [...customers], partitions: [...partitions], failing: failing.map((one) => ({ ...one })) },
        };
      });
      return { items, unattended };
    },
  );
}
