/** An error of the API, with its problem details (RFC 9457). */
interface Problem {
  readonly title: string;
  readonly status: number;
  readonly code: string;
  readonly detail: string;
  readonly errors: readonly { readonly pointer: string; readonly detail: string }[];
}

const textOr = (value: unknown, other: string): string => (typeof value === 'string' ? value : other);

/** @returns undefined if the value is not a problem of RFC 9457 */
function problemIn(text: string): Problem | undefined {
  try {
    const given = JSON.parse(text) as Record<string, unknown> | null;
    if (typeof given?.['status'] !== 'number') return undefined;
    const errors = Array.isArray(given['errors']) ? (given['errors'] as Record<string, unknown>[]) : [];
    return {
      title: textOr(given['title'], 'Failed'),
      status: given['status'],
      code: textOr(given['code'], 'unknown'),
      detail: textOr(given['detail'], ''),
      errors: errors.map((one) => ({ pointer: textOr(one?.['pointer'], ''), detail: textOr(one?.['detail'], '') })),
    };
  } catch {
    return undefined;
  }
}

export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly status: number;
  /** Stable, such as `DB_PRECONDITION_FAILED`. */
  readonly code: string;
  /** Every mistake in the request, by JSON pointer. */
  readonly errors: Problem['errors'];

  constructor({ status, code, detail, title, errors }: Problem) {
    super(detail === '' ? title : detail);
    this.status = status;
    this.code = code;
    this.errors = errors;
  }

  /** @param text the answer: a problem, or the text of a proxy */
  static of(status: number, text: string): ApiError {
    const problem = problemIn(text);
    if (problem !== undefined) return new ApiError(problem);
    const detail = `answered ${status}${text.trim() === '' ? '' : `: ${text.trim().slice(0, 200)}`}`;
    return new ApiError({ title: 'Failed', status, code: 'unknown', detail, errors: [] });
  }
}

/** There was no answer, or it was cut off. */
export class UnreachableError extends Error {
  override readonly name = 'UnreachableError';
}
