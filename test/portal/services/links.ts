/** Links to the set-up page, and whoever posts to it without a browser. */
import type { Intake, Invitation } from '../../harness/portal/set-up-page.ts';
import type { Receiver } from '../../harness/receiver.ts';
import { freshName } from '../../harness/topics.ts';
import { shared } from './shared.ts';

export const SECRETS = { secrets: ['authentication.password'] };

/** A customer with a password that is right for nobody. */
export async function customerAt(receiver: Receiver): Promise<string> {
  const customer = freshName('invited');
  await shared().stage.subscribe(customer, receiver.url, {
    authentication: { type: 'basic', username: 'u', password: 'before' },
  });
  return customer;
}

export async function post(
  path: string,
  body: unknown,
  headers: Record<string, string> = {},
  { origin }: Pick<Intake, 'origin'> = shared().intakes[0],
) {
  const answer = await fetch(new URL(path, origin), {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
  const text = await answer.text();
  return { status: answer.status, text, detail: String((JSON.parse(text) as { detail?: string }).detail) };
}

export const pathOf = ({ link }: Invitation) => new URL(link).pathname;
export const openWith = (invitation: Invitation, code: string) => post(`${pathOf(invitation)}/open`, { code });
