/** The requests that a rehearsal sends to a receiver, and the answers that the receiver should give. */
import type { TestVariation } from '@databridge/schemas/records/test-variation';

type Document = Readonly<Record<string, unknown>>;

export interface RehearsalCase {
  readonly name: string;
  readonly expects: 'accepted' | 'refused';
  readonly variation?: TestVariation;
  /** The same event id as in the case before. */
  readonly isRepeat?: true;
  /** Makes the body of the case. If omitted, the sample is not changed. */
  bodyOf?(sample: Document, sections: readonly string[]): string;
  /** The number of requests at the same time; if omitted, 1. */
  count?(ratePerSecond: number | undefined): number;
  /** The receiver's mistake, and how to mend it. Completes "…: ". */
  readonly advice: string;
}

/** Without a stated rate, any receiver should accept this many at once. */
const USUAL_BURST = 10;
const MAX_BURST = 100;
/** Below the limit of a producer's record, which is 1,000,000 bytes with its headers. */
const LARGEST_BODY_BYTES = 990_000;
/**
 * Text on which receivers fail that do not read UTF-8, or JSON's escapes: letters, an emoji, a line separator, markup.
 */
const UNUSUAL_TEXT = 'Zoë Müller 你好 😀 \u2028 "quoted" \\ <b>&amp;';

export const REHEARSAL_CASES: readonly RehearsalCase[] = [
  {
    ...{ name: 'event', expects: 'accepted' },
    advice: 'it does not accept a plain event: nothing else can be judged before it does',
  },
  {
    ...{ name: 'duplicate', expects: 'accepted', isRepeat: true },
    advice:
      'an event that it has already handled must be answered with 2xx: after any other answer it is sent again or kept as a dead letter',
  },
  {
    ...{ name: 'late event', expects: 'accepted', variation: 'late' },
    advice: 'an event that comes two minutes late, or after a newer one, must be accepted: events carry no order',
  },
  {
    ...{ name: 'stale signature', expects: 'refused', variation: 'stale' },
    advice:
      'a signature of ten minutes ago must be refused: anyone who recorded a request could repeat it. Compare webhook-timestamp with the clock, with a tolerance of five minutes',
  },
  {
    ...{ name: 'forged signature', expects: 'refused', variation: 'forged' },
    advice:
      'a signature that does not belong to the body must be refused with 401 or 400: else anybody can send events',
  },
  {
    ...{ name: 'missing signature', expects: 'refused', variation: 'unsigned' },
    advice: 'a request without a signature must be refused with 401 or 400: else anybody can send events',
  },
  {
    ...{ name: 'signatures during a rotation', expects: 'accepted', variation: 'rotated' },
    advice:
      'webhook-signature may contain several signatures, separated by spaces, and one that is valid is enough: it looks at the first alone',
  },
  {
    ...{ name: 'exact bytes', expects: 'accepted' },
    bodyOf: (sample) => `${JSON.stringify(sample, null, 2).replaceAll('sample', 's\\u0061mple')}\n`,
    advice:
      'the signature is that of the bytes as they came: verify it before the body is parsed, and not over JSON that was serialized again',
  },
  {
    ...{ name: 'unusual text', expects: 'accepted' },
    bodyOf: (sample) => JSON.stringify(withTexts(sample, () => UNUSUAL_TEXT)),
    advice: 'texts may hold every character of Unicode, as UTF-8 or escaped',
  },
  {
    ...{ name: 'absent sections', expects: 'accepted' },
    bodyOf: (sample, sections) =>
      JSON.stringify(Object.fromEntries(Object.entries(sample).filter(([name]) => !sections.includes(name)))),
    advice: 'every section is optional: a call may have none of them',
  },
  {
    ...{ name: 'unknown field', expects: 'accepted' },
    bodyOf: (sample) => JSON.stringify({ ...sample, added_by_a_later_version: { value: 1 } }),
    advice: 'fields that it does not know must be ignored: later versions may add some',
  },
  {
    ...{ name: 'largest event', expects: 'accepted' },
    bodyOf: (sample) => enlarged(sample),
    advice:
      'a body of 1 MB must be accepted: raise the limit of the web server or framework (the usual 100 kB is too small)',
  },
  {
    ...{ name: 'burst', expects: 'accepted' },
    count: (ratePerSecond = USUAL_BURST) => Math.min(MAX_BURST, Math.max(2, Math.ceil(ratePerSecond))),
    advice:
      'the events of one second at the stated rate must be accepted: answer as soon as an event is stored, or state a lower rate',
  },
];

/** The document with every text replaced, except its version. */
function withTexts(value: unknown, textOf: (text: string) => string, name = ''): unknown {
  if (typeof value === 'string') return name === 'schema_version' ? value : textOf(value);
  if (Array.isArray(value)) return value.map((one) => withTexts(one, textOf));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, withTexts(member, textOf, key)]));
}

function enlarged(sample: Document): string {
  let isDone = false;
  const missing = LARGEST_BODY_BYTES - JSON.stringify(sample).length;
  const large = withTexts(sample, (text) => {
    if (isDone) return text;
    isDone = true;
    return text + ' and more'.repeat(Math.max(0, Math.floor(missing / ' and more'.length)));
  });
  return JSON.stringify(large);
}
