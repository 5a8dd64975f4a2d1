import type { Examination } from '@databridge/schemas/api/types';
import type { Command } from 'commander';
import type { Cli } from '../../cli.ts';
import { type OutputOptions, print, withOutput } from '../../output/output.ts';

export function addDoctor(program: Command, cli: Cli): void {
  withOutput(
    program
      .command('doctor')
      .description(
        'check Kafka, the registry, topics, rights, keys, clocks, versions, settings, workers and customers, and say what to do; exit code 1 if something is wrong',
      ),
  ).action(async (options: OutputOptions) => {
    const examination = await cli.api().get<Examination>('/doctor');
    print(options, examination, () => formatExamination(examination));
    if (!examination.isHealthy) cli.notWell();
  });
}

const WORDS: Readonly<Record<Examination['findings'][number]['verdict'], string>> = {
  ok: 'ok',
  fault: 'WRONG',
  unknown: 'unknown',
};

function formatExamination({ isHealthy, findings }: Examination): string {
  const width = Math.max(...findings.map(({ check }) => check.length));
  const lines = findings.flatMap(({ check, verdict, detail, advice }) => [
    `${WORDS[verdict].padEnd(7)}  ${check.padEnd(width)}  ${detail}`,
    ...(advice === undefined ? [] : [`${' '.repeat(11 + width)}${advice}`]),
  ]);
  const faults = findings.filter(({ verdict }) => verdict === 'fault').length;
  const open = findings.filter(({ verdict }) => verdict === 'unknown').length;
  const summary = isHealthy
    ? 'Nothing is wrong.'
    : `${faults} ${faults === 1 ? 'thing is' : 'things are'} wrong. Begin with the first.`;
  return [...lines, '', open === 0 ? summary : `${summary} ${open} could not be checked.`].join('\n');
}
