import { ROOT_CONTEXT, SpanKind, trace } from '@opentelemetry/api';
import { SamplingDecision } from '@opentelemetry/sdk-trace';
import { LinkedSampler } from './linked-sampler.ts';
import { isSampled, spanContextOf, traceparentOf } from './traceparent.ts';

const TRACE_ID = '0af7651916cd43dd8448eb211c80319c';
const header = (flags: string) => `00-${TRACE_ID}-b7ad6b7169203331-${flags}`;
const contextOf = (flags: string) => {
  const context = spanContextOf(header(flags));
  if (context === undefined) throw new Error('not a context');
  return context;
};

function decisionOf(ratio: number, parent?: string, ...linked: string[]) {
  const context = parent === undefined ? ROOT_CONTEXT : trace.setSpanContext(ROOT_CONTEXT, contextOf(parent));
  const links = linked.map((flags) => ({ context: contextOf(flags) }));
  return new LinkedSampler(ratio).shouldSample(context, TRACE_ID, 'x', SpanKind.CLIENT, {}, links).decision;
}

const [YES, NO] = [SamplingDecision.RECORD_AND_SAMPLED, SamplingDecision.NOT_RECORD];

test.each([
  ['a root, all are sampled', 1, undefined, [], YES],
  ['a root, none is sampled', 0, undefined, [], NO],
  ['a sampled trace goes on', 0, '01', [], YES],
  ['one that is not sampled does not', 1, '00', [], NO],
  ['a retry of a sampled event', 0, undefined, ['01', '00'], YES],
  ['a retry of another', 1, undefined, ['00'], NO],
  ['a parent counts before links', 1, '00', ['01'], NO],
] as const)('%s', (_, ratio, parent, linked, expected) => {
  expect(decisionOf(ratio, parent, ...linked)).toBe(expected);
});

test('a header is read and written as it was; all zeros are no context', () => {
  expect(traceparentOf(contextOf('01'))).toBe(header('01'));
  expect([isSampled(contextOf('01')), isSampled(contextOf('00')), isSampled(contextOf('03'))]).toEqual([
    true,
    false,
    true,
  ]);
  expect(spanContextOf(`00-${'0'.repeat(32)}-b7ad6b7169203331-01`)).toBeUndefined();
  expect(spanContextOf(undefined)).toBeUndefined();
});
