/** Redrive and discard, for a customer's dead letters or for the quarantine. */
import { ask } from '../api/client.ts';
import { count as counted } from '../customer/state-words.ts';
import { type Counted, CountedAction } from './counted-action.tsx';

interface LetterActionsProps {
  /** Left out: the letters of the quarantine. */
  readonly customer?: string;
  /** Left out: letters of every reason. */
  readonly reason?: string | undefined;
  /** Left out: all letters. */
  readonly ids?: readonly string[];
}

interface LetterBody {
  readonly reasons?: readonly string[];
  readonly ids?: readonly string[];
  readonly dryRun?: boolean;
}

export function LetterActions({ customer, reason, ids }: LetterActionsProps) {
  const filter: LetterBody = { ...(reason !== undefined && { reasons: [reason] }), ...(ids !== undefined && { ids }) };
  const send = (what: 'redrives' | 'discards', body: LetterBody) => {
    if (customer === undefined) return ask(`POST /v1/quarantine/${what}`, { body });
    return ask(`POST /v1/subscriptions/{customer}/dead-letters/${what}`, { params: { customer }, body });
  };
  const countFor = (what: 'redrives' | 'discards', does: string) => async (): Promise<Counted> => {
    const { chosen, byReason } = (await send(what, { ...filter, dryRun: true })) as unknown as {
      readonly chosen: number;
      readonly byReason: Readonly<Record<string, number>>;
    };
    const reasons = Object.entries(byReason).map(([name, number]) => `${number.toLocaleString('en')} ${name}`);
    if (chosen === 0) return { total: 0, words: ['There is none that matches.'] };
    return { total: chosen, words: [`Exactly ${counted(chosen, 'letter')} (${reasons.join(', ')}) ${does}.`] };
  };
  const resultWords = (verb: string) => (result: Readonly<Record<string, unknown>>) => {
    const { taken = 0, stayed = 0, stillUnreadable = 0 } = result as Readonly<Record<string, number | undefined>>;
    const left = Number(stayed) + Number(stillUnreadable);
    return `${counted(Number(taken), 'letter')} ${verb}${left > 0 ? `; ${left} stayed, since they can't be read` : ''}.`;
  };
  const shared = customer === undefined ? {} : { customer };
  return (
    <>
      <CountedAction
        {...shared}
        title={ids === undefined ? 'Redrive' : 'Redrive this one'}
        count={countFor(
          'redrives',
          customer === undefined ? 'would go back to the intake' : 'would be delivered once more',
        )}
        run={() => send('redrives', filter)}
        resultWords={resultWords('redriven')}
      />
      <CountedAction
        {...shared}
        title={ids === undefined ? 'Discard' : 'Discard this one'}
        isDanger
        count={countFor('discards', 'would be discarded')}
        run={() => send('discards', filter)}
        resultWords={resultWords('discarded')}
      />
    </>
  );
}
