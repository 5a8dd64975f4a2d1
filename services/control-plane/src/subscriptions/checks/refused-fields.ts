import { DatabridgeError } from '@databridge/kernel/errors';
import type { Issue } from '@databridge/schemas/subscription/issue-words';
import { formatIssues } from '@databridge/schemas/subscription/subscription';

/** A change that is refused for some fields of the subscription, each with the reason and what to do. */
export class RefusedFields extends DatabridgeError {
  readonly issues: readonly Issue[];

  /** @param code DB_FORBIDDEN: the fields are not the caller's; DB_INPUT_INVALID: nobody may set these values */
  constructor(code: 'DB_FORBIDDEN' | 'DB_INPUT_INVALID', issues: readonly Issue[]) {
    super(code, formatIssues(issues));
    this.issues = issues;
  }
}
