import type { Status } from '@databridge/schemas/api/types';
import { formatStatuses } from './print.ts';

const paused: Status = {
  ...{ customer: 'acme', state: 'paused', lagByLane: { main: 0 }, deadRecords: 0, attempts: {} },
  budget: { maxAttempts: 185, windowMs: 86_400_000 },
};

test('of a paused customer that awaits approval, the note says how to approve it', () => {
  const noteOf = (status: Status) => formatStatuses([status]).split('\n')[1];
  expect(noteOf({ ...paused, awaitsApproval: true })).toMatch(
    /^acme +paused .*awaits approval: databridge approve acme$/,
  );
  expect(noteOf(paused)).toMatch(/^acme +paused +0 +0 +0 +0 +0 +-$/);
});
