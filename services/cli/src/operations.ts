/** The commands that change what customers get: each is one operation of the control plane. */
import { once } from 'node:events';
import { changeState, type StateAction } from '@databridge/control-plane/change-state';
import { type Commit, commitBy } from '@databridge/control-plane/changes';
import type { TakenOut } from '@databridge/control-plane/letters';
import { redeliver as redeliverEvents } from '@databridge/control-plane/redeliver';
import { redriveDeadLetters, redriveQuarantine } from '@databridge/control-plane/redrive';
import { planRewind, type RewindTarget, rewind as rewindCustomer } from '@databridge/control-plane/rewind';
import { tailAttempts } from '@databridge/control-plane/tail';
import { readConfig } from '@databridge/kernel/config';
import { DatabridgeError } from '@databridge/kernel/errors';
import type { KafkaProducer } from '@databridge/kernel/kafka/producer';
import type { Environment } from './commands.ts';
import { kafkaConfig } from './config.ts';
import { type Connected, withKafka, withProducer } from './connect.ts';
import { formatAttempt, formatRewind, printJson, printLine } from './print.ts';

type Operating = Connected & { readonly producer: KafkaProducer; readonly commit: Commit };

async function operate<T>(env: Environment, run: (context: Operating) => Promise<T>): Promise<T> {
  return await withKafka(readConfig(kafkaConfig, env), (connected) =>
    withProducer(connected.kafka, (producer) => run({ ...connected, producer, commit: commitBy(producer, 'cli') })),
  );
}

export async function setState(env: Environment, customer: string, action: StateAction): Promise<boolean> {
  const { before, after } = await operate(env, (context) => changeState(context, customer, action));
  printLine(before === after ? `${customer} is ${after} already.` : `${customer}: ${before} → ${after}`);
  return true;
}

export interface RewindChoice {
  readonly toTime?: Date;
  readonly toOffset?: number;
  readonly toEarliest?: boolean;
  readonly dryRun?: boolean;
  readonly skip?: boolean;
  readonly json?: boolean;
}

export async function rewind(env: Environment, customer: string, choice: RewindChoice): Promise<boolean> {
  const target = rewindTarget(choice);
  const { dryRun = false, skip = false } = choice;
  const done = await operate(env, (context) =>
    dryRun ? planRewind(context, customer, target) : rewindCustomer(context, customer, target, { maySkip: skip }),
  );
  if (choice.json) printJson(done);
  else printLine(formatRewind(done, dryRun));
  return true;
}

function rewindTarget({ toTime, toOffset, toEarliest }: RewindChoice): RewindTarget {
  const targets: RewindTarget[] = [
    ...(toTime === undefined ? [] : [{ kind: 'time', atMs: toTime.getTime() } as const]),
    ...(toOffset === undefined ? [] : [{ kind: 'offset', offset: toOffset } as const]),
    ...(toEarliest ? [{ kind: 'earliest' } as const] : []),
  ];
  const [target] = targets;
  if (target === undefined || targets.length > 1) {
    throw new DatabridgeError('DB_INPUT_INVALID', 'Give one of --to-time, --to-offset and --to-earliest');
  }
  return target;
}

export interface RedeliverChoice {
  readonly event?: string;
  readonly from?: Date;
  readonly to?: Date;
}

export async function redeliver(
  env: Environment,
  customer: string,
  { event, from, to }: RedeliverChoice,
): Promise<boolean> {
  const isRange = from !== undefined || to !== undefined;
  if ((event !== undefined) === isRange) {
    throw new DatabridgeError('DB_INPUT_INVALID', 'Give either --event, or --from and --to');
  }
  const what =
    event === undefined
      ? ({ kind: 'range', ...(from && { fromMs: from.getTime() }), ...(to && { toMs: to.getTime() }) } as const)
      : ({ kind: 'event', eventId: event } as const);
  const { events, replayId } = await operate(env, (context) => redeliverEvents(context, customer, what));
  printLine(`${customer}: ${events} ${events === 1 ? 'event is' : 'events are'} delivered again, as ${replayId}`);
  return true;
}

export interface RedriveChoice {
  readonly quarantine?: boolean;
  readonly reason?: readonly string[];
}

export async function redrive(
  env: Environment,
  customer: string | undefined,
  { quarantine = false, reason }: RedriveChoice,
): Promise<boolean> {
  if ((customer === undefined) !== quarantine) {
    throw new DatabridgeError('DB_INPUT_INVALID', 'Give either a customer, or --quarantine');
  }
  const filter = reason === undefined ? {} : { reasons: reason };
  const done = await operate(env, (context) =>
    customer === undefined ? redriveQuarantine(context, filter) : redriveDeadLetters(context, customer, filter),
  );
  printLine(redriven(customer ?? 'quarantine', done));
  return true;
}

const redriven = (of: string, { taken, stayed }: TakenOut) =>
  `${of}: ${taken} redriven${stayed > 0 ? `; ${stayed} stay, since they hold nothing that could be` : ''}.`;

export interface TailChoice {
  readonly from?: Date;
  readonly json?: boolean;
}

/** Until Ctrl-C. */
export async function tail(
  env: Environment,
  customer: string | undefined,
  { from, json }: TailChoice,
): Promise<boolean> {
  await withKafka(readConfig(kafkaConfig, env), async (connected) => {
    const tailing = await tailAttempts(connected, {
      ...(customer !== undefined && { customer }),
      ...(from !== undefined && { fromMs: from.getTime() }),
      onAttempt: (whose, attempt) =>
        printLine(json ? JSON.stringify({ customer: whose, ...attempt }) : formatAttempt(whose, attempt)),
    });
    await Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM')]);
    await tailing.stop();
  });
  return true;
}
