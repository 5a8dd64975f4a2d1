/** Calls the API with the session's cookie; the types come from the API's own description. */
import type { Problem, Routes } from '@databridge/schemas/api/types';

export type RouteName = keyof Routes;
export type AnswerOf<R extends RouteName> = Routes[R]['answer'];

/** An error of the API, with the API's own text. */
export class ApiError extends Error {
  readonly problem: Problem;

  constructor(problem: Problem) {
    super(problem.detail);
    this.name = 'ApiError';
    this.problem = problem;
  }
}

const VIEW = 'databridge.view-as';

/** The customer whose view an operator has chosen in this tab. */
export const viewedCustomer = () => sessionStorage.getItem(VIEW) ?? undefined;

/** @param customer undefined: back to the operator's own view */
export function viewAs(customer: string | undefined): void {
  if (customer === undefined) sessionStorage.removeItem(VIEW);
  else sessionStorage.setItem(VIEW, customer);
  location.assign(customer === undefined ? '/portal/' : `/portal/customers/${customer}`);
}

type Json = string | number | boolean | null | undefined | readonly Json[] | { readonly [key: string]: Json };

export interface Asked<R extends RouteName> {
  /** The parameters of the path, such as the customer. */
  readonly params?: Readonly<Record<string, string>>;
  readonly query?: Routes[R]['query'];
  readonly body?: Routes[R]['body'];
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal | undefined;
}

export interface Answered<R extends RouteName> {
  readonly answer: AnswerOf<R>;
  readonly headers: Headers;
}

/** Set by the outermost component; resolves once the user has signed in again. */
let signInAgain: (() => Promise<void>) | undefined;

export function onSessionOver(again: (() => Promise<void>) | undefined): void {
  signInAgain = again;
}

/** @throws {ApiError} @throws {TypeError} the API was not reached */
export async function ask<R extends RouteName>(route: R, asked: Asked<R> = {}): Promise<AnswerOf<R>> {
  return (await askInFull(route, asked)).answer;
}

/**
 * If the session has ended, the user signs in again on the same page and the request is sent again: typed input stays.
 * @throws {ApiError} @throws {TypeError} the API was not reached
 */
export async function askInFull<R extends RouteName>(route: R, asked: Asked<R> = {}): Promise<Answered<R>> {
  for (;;) {
    const response = await send(route, asked);
    if (response.status === 401 && signInAgain !== undefined && asked.headers?.['authorization'] === undefined) {
      await signInAgain();
      continue;
    }
    const text = await response.text();
    if (!response.ok) throw new ApiError(problemIn(text, response.status));
    const answer = (text === '' ? undefined : JSON.parse(text)) as AnswerOf<R>;
    return { answer, headers: response.headers };
  }
}

async function send<R extends RouteName>(
  route: R,
  { params = {}, query = {}, body, headers = {}, signal }: Asked<R>,
): Promise<Response> {
  const [method = 'GET', pattern = ''] = route.split(' ');
  const hasBody = body !== undefined;
  const viewed = viewedCustomer();
  return await fetch(`${pathOf(pattern, params)}${queryOf(query as Readonly<Record<string, Json>>)}`, {
    method,
    ...(hasBody && { body: JSON.stringify(body) }),
    headers: {
      ...(hasBody && { 'content-type': method === 'PATCH' ? 'application/merge-patch+json' : 'application/json' }),
      ...(viewed !== undefined && method === 'GET' && { 'databridge-view-as': viewed }),
      ...headers,
    },
    ...(signal && { signal }),
  });
}

function pathOf(pattern: string, params: Readonly<Record<string, string>>): string {
  return pattern.replaceAll(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(params[name] ?? ''));
}

function queryOf(query: Readonly<Record<string, Json>>): string {
  const given = Object.entries(query).flatMap(([name, value]) => (value === undefined ? [] : [[name, String(value)]]));
  return given.length === 0 ? '' : `?${new URLSearchParams(given)}`;
}

/** A server in front of the API, such as a proxy, answers in its own format. */
function problemIn(text: string, status: number): Problem {
  try {
    const problem = JSON.parse(text) as Problem;
    if (typeof problem.detail === 'string') return problem;
  } catch {
    // No JSON: said below.
  }
  const detail = `The API answered ${status} without saying why; try again`;
  return { type: 'about:blank', title: 'Failed', status, code: 'DB_INTERNAL', detail };
}

/** After a 503 or a broken connection, the outcome is unknown: the change may have been made. */
export function mayBeDone(error: unknown): boolean {
  return error instanceof ApiError ? error.problem.status >= 500 : error instanceof TypeError;
}

/** Returns the error as text for the user. */
export function wordsOf(error: unknown): string {
  if (error instanceof ApiError) return error.problem.detail;
  if (error instanceof TypeError) return 'The API could not be reached. Check the connection and try again.';
  return error instanceof Error ? error.message : String(error);
}
