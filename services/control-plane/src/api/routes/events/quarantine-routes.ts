import { DatabridgeError } from '@databridge/kernel/errors';
import { headerText } from '@databridge/schemas/records/headers';
import { QUARANTINE_TOPIC } from '@databridge/schemas/records/topics';
import { z } from 'zod';
import { type Letter, readLetters } from '../../../operations/letters.ts';
import { countQuarantine, quarantinedRecord } from '../../../operations/quarantine.ts';
import type { Api, ApiContext } from '../../context.ts';
import { filterOf, idPrefix, letterCount, lettersBody, page, takenOut } from '../../openapi/models.ts';
import { accepted } from '../../operate.ts';
import { problems } from '../../problem.ts';

const tags = ['quarantine'];

const quarantined = z
  .object({
    id: z.string().describe('its source: <topic>/<partition>/<offset>'),
    eventId: z.string(),
    eventType: z.string(),
    reason: z.string(),
    detail: z.string().optional(),
    at: z.number().describe('when fan-out put it there, ms since the epoch'),
    bytes: z.int().describe('of the record’s value'),
  })
  .meta({ id: 'QuarantinedRecord' });

const quarantinedInside = quarantined
  .extend({
    headers: z.record(z.string(), z.string()).describe('of the record, as text'),
    value: z.string().describe('the bytes as they came, in base64'),
    event: z.unknown().optional().describe('the document, if it can be read now'),
    unreadable: z.string().optional().describe('why it still cannot be read'),
  })
  .meta({ id: 'QuarantinedRecordInside' });

/** Intake records do not belong to a customer yet: only operators see their content. */
export function quarantineRoutes(api: Api, { operations, operate, change }: ApiContext): void {
  api.get(
    '/v1/quarantine',
    {
      config: { isExpensive: true },
      schema: {
        tags,
        summary: 'Intake records that fan-out could not read, the oldest first; without their contents',
        querystring: page.extend({ idPrefix }),
        response: { 200: z.object({ items: z.array(quarantined), next: z.string().optional() }), ...problems },
      },
    },
    async ({ query: { limit, cursor, idPrefix = '' } }) => {
      const after = cursor === undefined ? -1 : Number(cursor);
      const items: z.infer<typeof quarantined>[] = [];
      let next: number | undefined;
      let lastOffset = -1;
      await readLetters(operations, QUARANTINE_TOPIC, (letters) => {
        for (const letter of letters) {
          if (letter.record.offset <= after || !letter.key.startsWith(idPrefix)) continue;
          if (items.length === limit) {
            next ??= lastOffset;
            return;
          }
          lastOffset = letter.record.offset;
          items.push(quarantinedRecord(letter));
        }
      });
      return { items, ...(next !== undefined && { next: String(next) }) };
    },
  );

  api.post(
    '/v1/quarantine/openings',
    {
      config: { isExpensive: true },
      schema: {
        tags,
        summary: 'One quarantined record with its contents; the audit log says who opened it',
        body: z.strictObject({ id: z.string().min(1).max(400) }),
        response: { 200: quarantinedInside, ...problems },
      },
    },
    async (request) => {
      const { id } = request.body;
      const found: Letter[] = [];
      await readLetters(operations, QUARANTINE_TOPIC, (letters) => {
        found.push(...letters.filter(({ key }) => key === id));
      });
      const letter = found.at(-1);
      if (letter === undefined) throw new DatabridgeError('DB_NOT_FOUND', `The quarantine contains no record "${id}"`);
      await change(request, undefined, ({ commit }) => commit([{ what: 'open-quarantine', detail: { id } }]));
      const { headers, value } = letter.record;
      const facts = quarantinedRecord(letter);
      const texts = Object.keys(headers).map((name) => [name, headerText(headers, name) ?? ''] as const);
      return {
        ...facts,
        headers: Object.fromEntries(texts),
        value: (value ?? Buffer.alloc(0)).toString('base64'),
        ...(await operations.events.render(facts.eventType, value)),
      };
    },
  );

  for (const [name, kind, summary] of [
    [
      'redrives',
      'redrive-quarantine',
      'Puts quarantined records back to the intake; records that still cannot be read stay, unless force is set',
    ],
    ['discards', 'discard-quarantine', 'Discards quarantined records: they are never delivered'],
  ] as const) {
    api.post(
      `/v1/quarantine/${name}`,
      {
        schema: {
          tags,
          summary: `${summary}; a dry run counts them`,
          body: lettersBody.extend({
            force: z.boolean().default(false).describe('for a redrive: include records that still cannot be read'),
          }),
          response: {
            200: z.union([takenOut.extend({ stillUnreadable: z.int().optional() }), letterCount]),
            ...accepted,
            ...problems,
          },
        },
      },
      async (request, reply) => {
        const { dryRun, ...detail } = request.body;
        const filter = filterOf(request.body);
        const count = await countQuarantine(operations, filter);
        if (dryRun) return { ...count };
        const input = { ...filter, force: detail.force };
        return await operate(request, reply, { kind, input, total: count.chosen, audit: { what: kind, detail } });
      },
    );
  }
}
