/** The command line reads what the control plane answers, without importing it: their types are compared here. */
import type * as read from '@databridge/cli/api/answers';
import type { Examination } from '@databridge/control-plane/doctor/examine';
import type { Rewind } from '@databridge/control-plane/operations/rewind';
import type { Rehearsal } from '@databridge/control-plane/rehearsal/rehearse';
import type { IntakeAnswer } from '@databridge/control-plane/views/intake-tally';
import type { Reconciliation } from '@databridge/control-plane/views/reconcile';
import type { CustomerStatus } from '@databridge/control-plane/views/status';

type Fits<Made extends Read, Read> = [Made, Read];

test('what commands read is in the answers: the compiler refuses this file otherwise', () => {
  const checked: [
    Fits<CustomerStatus, read.CustomerStatus>?,
    Fits<Rewind, read.Rewind>?,
    Fits<Reconciliation, read.Reconciliation>?,
    Fits<Rehearsal, read.Rehearsal>?,
    Fits<IntakeAnswer, read.IntakeAnswer>?,
    Fits<Examination, read.Examination>?,
  ] = [];
  expect(checked).toEqual([]);
});
