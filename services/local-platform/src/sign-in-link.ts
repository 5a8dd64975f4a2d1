/**
 * @param apiUrl URL of the control plane, without a path
 * @param token the link signs its holder in to the portal
 * @returns a link that works once, within ten minutes: unlike a token, it may be shown on a terminal
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
