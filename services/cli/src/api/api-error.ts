/** What the API answers when it does not do it: RFC 9457, as its document says. */
import { z } from 'zod';

const problem = z.object({
  title: z.string().default('Failed'),
  status: z.int(),
  code: z.string().default('unknown'),
  detail: z.string().default(''),
  errors: z.array(z.object({ pointer: z.string(), detail: z.string() })).default([]),
});
type Problem = z.output<typeof problem>;

export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly status: number;
  /** Stable, such as `DB_PRECONDITION_FAILED`. */
  readonly code: string;
  /** Every mistake in what was sent, by JSON pointer. */
  readonly errors: Problem['errors'];

  constructor({ status, code, detail, title, errors }: Problem) {
    super(detail === '' ? title : detail);
    this.status = status;
    this.code = code;
    this.errors = errors;
  }

  /** @param text of the answer: a problem, or whatever stands between us and the API said */
  static of(status: number, text: string): ApiError {
    try {
      const parsed = problem.safeParse(JSON.parse(text));
      if (parsed.success) return new ApiError(parsed.data);
    } catch {
      // No JSON: not the API's own words.
    }
    const detail = `answered ${status}${text.trim() === '' ? '' : `: ${text.trim().slice(0, 200)}`}`;
    return new ApiError({ title: 'Failed', status, code: 'unknown', detail, errors: [] });
  }
}

/** Nobody answered, or the answer broke off. */
export class UnreachableError extends Error {
  override readonly name = 'UnreachableError';
}
