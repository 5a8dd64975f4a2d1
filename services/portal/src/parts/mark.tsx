import { EVENT_STATE_WORDS, type EventStateName, OUTCOMES, type OutcomeName } from './outcomes.ts';

/** A word with its shape and color. */
export function Mark({ shape, word, tone }: { readonly shape: string; readonly word: string; readonly tone: string }) {
  return (
    <span className={`mark ${tone}`}>
      <span aria-hidden="true">{shape}</span> {word}
    </span>
  );
}

export const OutcomeMark = ({ outcome }: { readonly outcome: OutcomeName }) => <Mark {...OUTCOMES[outcome]} />;

export const EventStateMark = ({ state }: { readonly state: EventStateName }) => <Mark {...EVENT_STATE_WORDS[state]} />;
