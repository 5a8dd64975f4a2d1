/** A client certificate by request: its key is made by a delivery worker, and stays there. */
import { alertOf, el, field } from './dom.ts';

export interface CertificatePart {
  readonly nodes: Node[];
  /** What was signed; undefined: nothing yet. */
  read(): string | undefined;
}

/** @param request asks for the key and its request (PEM); asked again, it is the same */
export function certificatePart(request: () => Promise<{ readonly csr: string }>): CertificatePart {
  const signed = field('Signed certificate and its chain (PEM)', { isLong: true });
  const made = el('div');
  const ask = el('button', { type: 'button' }, 'Make a key and a certificate request');
  ask.onclick = async () => {
    ask.disabled = true;
    made.replaceChildren(el('p', { role: 'status' }, 'A worker makes it …'));
    try {
      const { csr } = await request();
      const shown = field('Certificate request', { isLong: true, value: csr });
      (shown.input as HTMLTextAreaElement).readOnly = true;
      const href = URL.createObjectURL(new Blob([csr]));
      made.replaceChildren(...shown.nodes, el('a', { href, download: 'databridge.csr' }, 'Download it'));
    } catch (error) {
      made.replaceChildren(alertOf((error as Error).message));
    }
    ask.disabled = false;
  };
  return {
    nodes: [
      el(
        'p',
        {},
        'A worker makes the key, and keeps it. Have the request signed by an authority that your destination trusts; you can open this link again for it.',
      ),
      ask,
      made,
      ...signed.nodes,
    ],
    read: () => signed.input.value.trim() || undefined,
  };
}
