import { readFileSync } from 'node:fs';
import { Command, CommanderError } from 'commander';
import { ApiClient } from './api/api-client.ts';
import type { Cli } from './cli.ts';
import { addCertificates } from './commands/certificates.ts';
import { addErase } from './commands/erase.ts';
import { addInvitations } from './commands/invitations.ts';
import { addDeadLetters } from './commands/letters/dead-letters.ts';
import { addQuarantine } from './commands/letters/quarantine.ts';
import { addAudit } from './commands/observe/audit.ts';
import { addDoctor } from './commands/observe/doctor.ts';
import { addEvents } from './commands/observe/events.ts';
import { addExplain } from './commands/observe/explain.ts';
import { addService } from './commands/observe/service.ts';
import { addObservation } from './commands/observe.ts';
import { addOffline } from './commands/offline/offline.ts';
import { addOperations } from './commands/operate.ts';
import { addLongOperations } from './commands/operations.ts';
import { addSecrets } from './commands/secrets.ts';
import { addSession } from './commands/session.ts';
import { addSubscriptions } from './commands/subscriptions.ts';
import { addListen } from './commands/trial/listen.ts';
import { addProduce } from './commands/trial/produce.ts';
import { addRehearse } from './commands/trial/rehearse.ts';
import { addTest } from './commands/trial/test-event.ts';
import { type Environment, findConnection } from './credentials.ts';
import { addExamples } from './examples.ts';
import { adviceOn, EXIT_CODES, type ExitCode, exitCodeOf } from './exit-code.ts';

/** Runs the command line and prints its output; never throws. */
export async function runProgram(args: readonly string[], env: Environment): Promise<ExitCode> {
  let isWell = true;
  const cli: Cli = {
    env,
    api: () => new ApiClient(findConnection(env)),
    notWell() {
      isWell = false;
    },
  };
  try {
    const program = await createProgram(cli, args);
    await program.parseAsync([...args], { from: 'user' });
    return isWell ? 0 : 1;
  } catch (error) {
    // commander has printed it already.
    if (!(error instanceof CommanderError)) process.stderr.write(`${adviceOn(error)}\n`);
    return exitCodeOf(error);
  }
}

/** Read as text: jest strips what an import of JSON needs. */
function versionOfThis(): string {
  const manifest = readFileSync(new URL('../package.json', import.meta.url), 'utf8');
  return (JSON.parse(manifest) as { version: string }).version;
}

/** All commands. @param args only when they ask for completion, the API is asked for customers' names */
export async function createProgram(cli: Cli, args: readonly string[]): Promise<Command> {
  const program = new Command('databridge')
    .description(
      'Runs Databridge Events by its API: subscriptions, secrets, replay, and the proof that nothing is lost.',
    )
    .addHelpText(
      'after',
      `\nExit codes:\n${Object.entries(EXIT_CODES)
        .map(([code, what]) => `  ${code}  ${what}`)
        .join('\n')}`,
    )
    .version(versionOfThis(), '--version', 'print the version')
    .showSuggestionAfterError()
    .exitOverride();
  addSession(program, cli);
  addSubscriptions(program, cli);
  addOperations(program, cli);
  addTest(program, cli);
  addRehearse(program, cli);
  addProduce(program, cli);
  addListen(program, cli);
  addObservation(program, cli);
  addEvents(program, cli);
  addExplain(program, cli);
  addDoctor(program, cli);
  addService(program, cli);
  addAudit(program, cli);
  addDeadLetters(program, cli);
  addQuarantine(program, cli);
  addErase(program, cli);
  addLongOperations(program, cli);
  const keys = program.command('keys').description('the keys that seal and open secrets');
  addSecrets(program, keys, cli);
  addCertificates(program, cli);
  addInvitations(program, cli);
  addOffline(program, keys, cli);
  if (mayConcernCompletion(args)) {
    const { addCompletion } = await import('./commands/completion.ts');
    await addCompletion(program, cli, args);
  }
  addExamples(program);
  return program;
}

/** Its library visits every command, which all other starts are spared. Whatever is no known command is shown all of them. */
function mayConcernCompletion([first = '-']: readonly string[]): boolean {
  return first.startsWith('-') || /^(comp|help)/.test(first);
}
