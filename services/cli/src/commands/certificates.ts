/** Client certificates by request: a delivery worker makes the key, which never leaves the workers. */
import type { CertificateRequest } from '@databridge/schemas/api/types';
import type { Command } from 'commander';
import { type Cli, pathOf } from '../cli.ts';
import { readInput } from '../files/read-input.ts';
import { type OutputOptions, print, withOutput } from '../output/output.ts';
import { printLine } from '../output/print.ts';

export function addCertificates(program: Command, cli: Cli): void {
  const group = program
    .command('certificates')
    .description('client certificates by request: a delivery worker makes the key, and keeps it');
  withOutput(
    group
      .command('request')
      .description('have a worker make a new key; prints the request (PEM) that an authority of the destination signs')
      .argument('<customer>')
      .option('--common-name <name>', 'in the subject; default: databridge-<customer>'),
  ).action(async (customer: string, { commonName, ...options }: OutputOptions & { commonName?: string }) => {
    const body = commonName === undefined ? {} : { commonName };
    const made = await cli.api().post<CertificateRequest>(pathOf(customer, 'certificate-request'), body);
    print(options, made, () => made.csr.trimEnd());
  });
  withOutput(
    group.command('get').description('print the latest certificate request (PEM) of a customer').argument('<customer>'),
  ).action(async (customer: string, options: OutputOptions) => {
    const found = await cli.api().get<CertificateRequest>(pathOf(customer, 'certificate-request'));
    print(options, found, () => found.csr.trimEnd());
  });
  group
    .command('set')
    .description('set the certificate that was signed for the latest request, together with its key')
    .argument('<customer>')
    .requiredOption('-f, --file <file>', 'PEM, the chain after the certificate; - for standard input')
    .action(async (customer: string, { file }: { file: string }) => {
      const body = { certificate: readInput(file) };
      await cli.api().call('PUT', pathOf(customer, 'certificate'), { body });
      printLine(
        `${customer}: the certificate is set. "databridge test ${customer}" shows whether the destination takes it.`,
      );
    });
}
