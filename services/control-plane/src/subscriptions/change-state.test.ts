import type { Subscription } from '@databridge/schemas/subscription/subscription';
import { type StateAction, stateAfter } from './change-state.ts';

type State = Subscription['state'];
const ACTIONS: readonly StateAction[] = ['pause', 'resume', 'enable', 'disable'];
const active = { state: 'active', enableEpoch: 6 };
const none = undefined;
const refused = expect.any(String);

test.each<[State, 'found well' | 'disabled by its worker', readonly unknown[]]>([
  ['active', 'found well', [{ state: 'paused', enableEpoch: 5 }, none, none, { state: 'disabled', enableEpoch: 5 }]],
  ['paused', 'found well', [none, active, refused, { state: 'disabled', enableEpoch: 5 }]],
  ['disabled', 'found well', [refused, refused, active, none]],
  ['active', 'disabled by its worker', [refused, refused, active, none]],
  ['paused', 'disabled by its worker', [refused, refused, active, none]],
])('%s, %s: pause, resume, enable, disable', (state, found, expected) => {
  const worker = { disabledEpoch: found === 'found well' ? 4 : 5 };
  expect(ACTIONS.map((action) => stateAfter({ state, enableEpoch: 5 }, worker, action))).toEqual(expected);
});

test.each<[StateAction, unknown]>([
  ['pause', none],
  ['resume', expect.stringContaining('awaits approval')],
  ['enable', expect.stringContaining('awaits approval')],
  ['disable', { state: 'disabled', enableEpoch: 5 }],
])('what awaits approval: %s', (action, expected) => {
  expect(stateAfter({ state: 'paused', enableEpoch: 5, awaitsApproval: true }, none, action)).toEqual(expected);
});

test('what an operator disabled before it was approved is not enabled', () => {
  const disabled = { state: 'disabled', enableEpoch: 5, awaitsApproval: true } as const;
  expect(stateAfter(disabled, none, 'enable')).toEqual(expect.stringContaining('awaits approval'));
});
