import { isAsWanted, settingChangesOf } from './topic-setting-changes.ts';

test('settings that are not named stay, and null removes one', () => {
  const before = { 'retention.ms': '1000', 'segment.ms': '5' };
  const [change] = settingChangesOf(new Map([['t', before]]), { 'segment.ms': null, 'cleanup.policy': 'compact' });
  expect(change).toMatchObject({
    name: 't',
    configEntries: [
      { name: 'retention.ms', value: '1000' },
      { name: 'cleanup.policy', value: 'compact' },
    ],
  });
});

test('a number is the same however Kafka writes it, and what is inherited is as null wants it', () => {
  expect(isAsWanted({ 'min.cleanable.dirty.ratio': '0.0' }, { 'min.cleanable.dirty.ratio': '0' })).toBe(true);
  expect(isAsWanted({}, { 'segment.ms': null })).toBe(true);
  expect(isAsWanted({ 'segment.ms': '5' }, { 'segment.ms': null })).toBe(false);
  expect(isAsWanted({ 'cleanup.policy': 'compact,delete' }, { 'cleanup.policy': 'delete' })).toBe(false);
});
