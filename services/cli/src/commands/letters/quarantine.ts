import type { QuarantinedRecord, QuarantinedRecordInside } from '@databridge/schemas/api/types';
import type { Command } from 'commander';
import type { Cli } from '../../cli.ts';
import { type OutputOptions, print, printsList, withOutput } from '../../output/output.ts';
import { timeOf } from '../../output/print.ts';
import { parseCount } from '../../parse-arguments.ts';
import { fullId, type Ids } from '../../short-ids.ts';
import { addTakingOut, formatLetter } from './letters.ts';

const QUARANTINE: Ids = {
  ...{ path: '/quarantine', prefix: 'idPrefix', what: 'quarantined records' },
  idOf: ({ id }: QuarantinedRecord) => id,
};

export function addQuarantine(program: Command, cli: Cli): void {
  const group = program.command('quarantine').description('records of the intake that fan-out cannot read');
  printsList(
    group
      .command('list')
      .description('list quarantined records, the oldest first')
      .option('--limit <count>', 'at most this many', parseCount, 100),
    async ({ limit }: { limit: number }) => await cli.api().list<QuarantinedRecord>('/quarantine', {}, limit),
    {
      AT: ({ at }) => timeOf(at),
      REASON: ({ reason }) => reason,
      'EVENT TYPE': ({ eventType }) => eventType,
      BYTES: ({ bytes }) => bytes,
      ID: ({ id }) => id,
      DETAIL: ({ detail = '' }) => detail,
    },
    'The quarantine is empty.',
  );
  withOutput(
    group
      .command('open')
      .description('show one record with its content; the audit log records who opened it')
      .argument('<id>', 'its source, as the list shows it: its beginning is enough'),
  ).action(async (id: string, options: OutputOptions) => {
    const whole = await fullId(cli.api(), QUARANTINE, id);
    const found = await cli.api().post<QuarantinedRecordInside>('/quarantine/openings', { id: whole });
    print(options, found, () => formatLetter(found));
  });
  addTakingOut(group, cli, {
    ...{ isOfCustomer: false, idsOf: () => QUARANTINE, reason: 'unknown-schema', canForce: true },
    describe: {
      redrive: 'put records back to the intake; records that still cannot be read stay',
      discard: 'discard records: they are never delivered',
    },
  });
}
