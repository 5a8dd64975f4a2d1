/** A client certificate by request: a delivery worker creates the key, which never leaves the workers. */
import { alertOf, el, field } from './dom.ts';

export interface CertificatePart {
  readonly nodes: Node[];
  /** Returns the signed certificate; undefined: none is entered yet. */
  read(): string | undefined;
}

/** @param request creates the key and returns its certificate request (PEM); later calls return the same one */
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
