/**
 * @param apiUrl of the control plane, without a path
 * @param token whose holder the link signs in to the portal
 * @returns a link that is good once, for ten minutes: a terminal may show it, as it may not show a token
 */
export async function signInLink(apiUrl: string, token: string): Promise<string> {
  const answer = await fetch(`${apiUrl}/v1/sessions/links`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}` },
  });
  if (!answer.ok) throw new Error(`POST /v1/sessions/links answered ${answer.status}: ${await answer.text()}`);
  const { path } = (await answer.json()) as { readonly path: string };
  return `${apiUrl}${path}`;
}
