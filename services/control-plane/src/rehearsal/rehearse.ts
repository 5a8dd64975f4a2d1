import { DatabridgeError } from '@databridge/kernel/errors';
import type { Attempt } from '@databridge/schemas/records/attempts';
import type { Subscription } from '@databridge/schemas/subscription/subscription';
import type { ControlPlaneContext } from '../context.ts';
import { TestSender, testableCustomer } from '../operations/send-test.ts';
import type { AttemptView } from '../views/attempts/attempt-view.ts';
import { REHEARSAL_CASES, type RehearsalCase } from './rehearsal-cases.ts';

export interface RehearsalFinding {
  readonly case: string;
  readonly expects: 'accepted' | 'refused';
  readonly verdict: 'passed' | 'failed' | 'skipped';
  /** States the result, and the correction if it is wrong. */
  readonly text: string;
  /** The HTTP status of the first answer that decided. */
  readonly status?: number;
}

export interface Rehearsal {
  readonly customer: string;
  readonly eventType: string;
  readonly findings: readonly RehearsalFinding[];
}

/**
 * Sends test events to a customer's endpoint as in normal operation and in failures, one case after the other, and
 * checks its answers. Each event is a test: it is not in the books, and does not affect the breaker or a hold.
 * @param eventType if omitted, the first that the customer gets
 * @throws {DatabridgeError} DB_NOT_FOUND; DB_CONFLICT if its destination is not HTTP;   DB_INPUT_INVALID for an event
 *   type that it does not get; DB_TEST_UNANSWERED
 */
export async function rehearse(
  context: Pick<ControlPlaneContext, 'workerStatuses' | 'subscriptions' | 'producer'>,
  attempts: Pick<AttemptView, 'listen'>,
  customer: string,
  eventType: string | undefined,
): Promise<Rehearsal> {
  const { subscription, type, isRunning } = await testableCustomer(context, customer, eventType);
  refuseUnlessHttp(subscription);
  const sender = new TestSender(context, attempts, subscription, type, isRunning);
  const sample = JSON.parse(type.sample(subscription.sections)) as Readonly<Record<string, unknown>>;
  const findings: RehearsalFinding[] = [];
  let lastId = sender.newId();
  for (const one of REHEARSAL_CASES) {
    if (needsSignature(one) && subscription.signing === undefined) {
      findings.push(skipped(one, 'the subscription has no `signing`: anyone who knows the URL can send events to it'));
      continue;
    }
    if (findings[0]?.verdict === 'failed') {
      findings.push(skipped(one, 'the endpoint does not accept a plain event'));
      continue;
    }
    const count = one.count?.(subscription.ratePerSecond) ?? 1;
    const ids = Array.from({ length: count }, () => (one.isRepeat ? lastId : sender.newId()));
    lastId = ids.at(-1) ?? lastId;
    const value = one.bodyOf?.(sample, type.sections);
    const answers = await Promise.all(
      ids.map((id) => sender.send(id, { ...(value !== undefined && { value }), variation: one.variation })),
    );
    findings.push(judged(one, answers));
  }
  return { customer, eventType: type.name, findings };
}

const needsSignature = ({ variation, name }: RehearsalCase) => variation !== undefined || name === 'exact bytes';

function refuseUnlessHttp({ customer, destination: { type } }: Subscription): void {
  if (type === 'http' || type === 'api-gateway') return;
  throw new DatabridgeError(
    'DB_CONFLICT',
    `The destination of "${customer}" is of type "${type}": only endpoints over HTTP can be rehearsed`,
  );
}

function skipped({ name, expects }: RehearsalCase, text: string): RehearsalFinding {
  return { case: name, expects, verdict: 'skipped', text };
}

/** The first wrong answer decides, if there are several. */
function judged({ name, expects, advice }: RehearsalCase, answers: readonly Attempt[]): RehearsalFinding {
  const isRight = expects === 'accepted' ? isAccepted : isRefused;
  const wrong = answers.filter((answer) => !isRight(answer));
  const [shown = answers[0]] = wrong;
  const came = shown === undefined ? 'nothing was answered' : answerText(shown);
  const many = answers.length > 1 ? `${answers.length - wrong.length} of ${answers.length} were ${expects}` : undefined;
  const text = wrong.length === 0 ? (many ?? came) : `${many === undefined ? came : `${many}, ${came}`}: ${advice}`;
  return {
    ...{ case: name, expects, verdict: wrong.length === 0 ? 'passed' : 'failed', text },
    ...(shown?.status !== undefined && { status: shown.status }),
  };
}

const isAccepted = ({ outcome }: Attempt) => outcome === 'delivered';

/** An answer that would be retried for a day, or that ends all deliveries, is not the right way to refuse a request. */
function isRefused({ outcome, status = 0 }: Attempt): boolean {
  return (outcome === 'refused' || outcome === 'deauthorized') && status >= 400 && status < 500;
}

function answerText({ status, error, durationMs }: Attempt): string {
  const what = status === undefined ? (error ?? 'no answer') : `status ${status}`;
  return `${what} after ${Math.round(durationMs)} ms`;
}
