import type { CustomerStatus } from '../api/answers.ts';
import { formatStatuses } from './print.ts';

const paused: CustomerStatus = {
  ...{ customer: 'acme', state: 'paused', lagByLane: { main: 0 }, deadRecords: 0, attempts: {} },
};

test('of a paused customer that awaits approval, the note says how to approve it', () => {
  const noteOf = (status: CustomerStatus) => formatStatuses([status]).split('\n')[1];
  expect(noteOf({ ...paused, awaitsApproval: true })).toMatch(
    /^acme +paused .*awaits approval: databridge approve acme$/,
  );
  expect(noteOf(paused)).toMatch(/^acme +paused +0 +0 +0 +0 +0 +-$/);
});
