import type { Secret } from '@databridge/schemas/api/types';
import { isPlaceholder } from '@databridge/schemas/subscription/secret-rules';
import type { Command } from 'commander';
import { type Cli, pathOf } from '../cli.ts';
import { type OutputOptions, print, printsList, withOutput } from '../output/output.ts';
import { printLine, timeOf } from '../output/print.ts';
import { readSecret } from '../output/terminal.ts';

export function addSecrets(program: Command, keys: Command, cli: Cli): void {
  const group = program
    .command('secrets')
    .description('passwords, keys and client secrets: they can be set, but not read');
  printsList(
    group
      .command('list')
      .description('list the secrets of a customer by name, without their values')
      .argument('<customer>'),
    async (customer: string) => await cli.api().list<Secret>(pathOf(customer, 'secrets')),
    {
      NAME: ({ name }) => name,
      SET: ({ setAtMs }) => timeOf(setAtMs) ?? '',
      'THE OLD ONE IS USED UNTIL': ({ fallbackUntilMs }) => timeOf(fallbackUntilMs) ?? '',
    },
  );
  group
    .command('set')
    .description('set a secret; its value is read from standard input, or typed at a prompt')
    .argument('<customer>')
    .argument('<name>', 'as the list shows it, such as authentication.key')
    .option(
      '--overlap <time>',
      'how long the previous secret is used at destinations that reject the new one: default 24h, 0s for not at all',
    )
    .action(async (customer: string, name: string, { overlap }: { overlap?: string }) => {
      const value = await readSecret(`New value of ${name} of ${customer}: `);
      if (isPlaceholder(value))
        process.stderr.write(`warning: ${name} looks like a placeholder; it is sent as it is\n`);
      const sealed = await (await import('./offline/seal-secret.ts')).sealSecret(
        cli.api(),
        { customer, place: name },
        value,
      );
      const body = { sealed, ...(overlap !== undefined && { overlap }) };
      await cli.api().call('PUT', pathOf(customer, 'secrets', name), { body });
      printLine(`${customer}: ${name} is set.`);
    });
  group
    .command('end-fallback')
    .description('stop using the previous secret, so that only the current one is used')
    .argument('<customer>')
    .argument('<name>', 'as the list shows it, such as authentication.key')
    .action(async (customer: string, name: string) => {
      await cli.api().call('DELETE', pathOf(customer, 'secrets', name, 'fallback'));
      printLine(`${customer}: of ${name}, only what was set last is used.`);
    });
  withOutput(
    keys
      .command('rotate')
      .description('seal every secret again with the current key, so that older keys can be removed')
      .requiredOption('--keys-file <file>', 'that of the delivery workers, delivery.keys: secrets are opened here'),
  ).action(async (options: OutputOptions & { keysFile: string }) => {
    const { rotateKeys } = await import('./offline/rotate-keys.ts');
    const done = await rotateKeys(cli.api(), options.keysFile);
    const { resealed, failed } = done;
    print(
      options,
      done,
      () => `Secrets of ${resealed} customers are sealed with the current key; all others were so already.`,
    );
    for (const { customer, detail } of failed) process.stderr.write(`${customer}: ${detail}\n`);
    if (failed.length > 0) {
      process.stderr.write(`${failed.length} customers failed; run "databridge keys rotate" again\n`);
      cli.notWell();
    }
  });
}
