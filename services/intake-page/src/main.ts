/**
 * The page where customers enter secrets: a code opens it, and the browser seals the secrets before it sends them.
 *
 *     code ─▶ who asks, where it goes, which fields ─▶ checked, sealed, sent ─▶ test event ─▶ its outcome
 *                                  ▲────────────────── correct it ──────────────────┘
 */
import { Sealer } from '@databridge/kernel/secrets/sealer';
import { readInvitationCode } from '@databridge/schemas/records/invitation-code';
import { secretMistake } from '@databridge/schemas/subscription/secret-rules';
import { type Answered, call, type Opened, type Tested } from './api.ts';
import { certificatePart } from './certificate.ts';
import { alertOf, el, field, form, show } from './dom.ts';
import type { Entered, Form } from './form.ts';
import { labelOf } from './labels.ts';

let opened: Opened;
let ticket = '';
/** Stays for corrections: then only secrets are entered again. */
let given: Form;

function askForCode(): void {
  const code = field('Code', { hint: 'Eight letters and digits, sent to you separately from this link.' });
  show(
    el('p', {}, 'Enter the code that belongs to this link. What you enter next is encrypted in your browser.'),
    form('Continue', code.nodes, async () => {
      if (readInvitationCode(code.input.value) === undefined) {
        throw new Error('This is not a code: check for a mistyped character. It does not count as an attempt.');
      }
      opened = await call<Opened>('open', { code: code.input.value });
      ticket = opened.ticket;
      given = opened.kind === 'setup' ? await formOfSetup(opened) : secretsForm(opened.places);
      askForSecrets();
    }),
  );
}

function timeLeft(): Node {
  const until = el('span', {}, timeOf(opened.untilMs));
  const more = el('button', { type: 'button' }, 'More time');
  more.onclick = async () => {
    try {
      const { ticket: next, untilMs } = await call<Pick<Opened, 'ticket' | 'untilMs'>>('extend', {}, ticket);
      ticket = next;
      until.textContent = timeOf(untilMs);
    } catch (error) {
      until.replaceChildren(alertOf((error as Error).message));
    }
  };
  return el('p', {}, 'You have until ', until, '. ', more);
}

const timeOf = (ms: number) => new Date(ms).toLocaleTimeString([], { hour: '2-digit', minute: '2-digit' });

function askForSecrets(): void {
  const { kind, customer, by, reason, goesTo } = opened;
  show(
    el('h2', {}, kind === 'setup' ? `Set up ${customer}` : `Secrets of ${customer}`),
    el('p', {}, `${by} asks for this${reason === undefined ? '.' : `: ${reason}`}`),
    el('p', {}, goesTo.length === 0 ? 'You enter the destination below.' : `For ${goesTo.join(' and ')} only.`),
    timeLeft(),
    form('Encrypt and send', given.nodes, async () => {
      const { publicKeys = [], ...entered } = await given.read();
      const answered = await send(entered);
      given.forget();
      await test({ ...answered, publicKeys });
    }),
  );
}

const CLIENT_KEY = 'tls.clientKey';

const requestCertificate = () => call<{ csr: string }>('certificate-request', {}, ticket);

/** The script for set-ups is loaded when it is needed: links for secrets do without it. @throws {Error} */
async function formOfSetup({ isForNotices }: Opened): Promise<Form> {
  try {
    const { setupForm } = await import('./setup-form.ts');
    return setupForm({ request: requestCertificate, isForNotices });
  } catch {
    throw new Error('The form could not be loaded: try again.');
  }
}

function secretsForm(places: readonly string[]): Form {
  const typed = places.filter((place) => place !== CLIENT_KEY);
  const fields = typed.map((place) => {
    const isLong = place.endsWith('clientKey');
    return { place, ...field(labelOf(place), { isSecret: !isLong, isLong }) };
  });
  const requested = places.includes(CLIENT_KEY) ? certificatePart(requestCertificate) : undefined;
  return {
    nodes: [...fields.flatMap(({ nodes }) => nodes), ...(requested?.nodes ?? [])],
    async read() {
      const certificate = requested?.read();
      if (requested !== undefined && certificate === undefined) throw new Error('The signed certificate is missing.');
      return {
        secrets: Object.fromEntries(fields.map(({ place, input }) => [place, input.value])),
        ...(certificate !== undefined && { certificate }),
      };
    },
    forget() {
      for (const { input } of fields) input.value = '';
    },
  };
}

async function send({ secrets, ...stated }: Entered): Promise<Answered> {
  const { customer, key } = opened;
  const sealer = new Sealer(key);
  const mistakes = Object.entries(secrets).flatMap(([place, value]) => {
    const mistake = value === '' ? 'is empty' : secretMistake(place, value);
    return mistake === undefined ? [] : [`${labelOf(place)} ${mistake}`];
  });
  if (mistakes.length > 0) throw new Error(mistakes.join('. '));
  const sealed = await Promise.all(
    Object.entries(secrets).map(async ([place, value]) => [place, await sealer.seal(value, { customer, place })]),
  );
  return await call<Answered>('answer', { ...stated, secrets: Object.fromEntries(sealed) }, ticket);
}

async function test(answered: Answered & Required<Pick<Entered, 'publicKeys'>>): Promise<void> {
  const { receipt, externalId, publicKeys } = answered;
  const facts: Node[] = [el('p', {}, `Received. Receipt: ${receipt}`)];
  if (externalId !== undefined) {
    facts.push(
      el('p', {}, 'The trust policy of your role must ask for this external id: ', el('code', {}, externalId)),
    );
  }
  for (const [words, key] of publicKeys) facts.push(el('p', {}, words, el('code', {}, key)));
  show(...facts, el('p', { role: 'status' }, 'A test event is on its way …'));
  let words: Node;
  try {
    const tested = await call<Tested>('test', {}, ticket);
    words = tested.isAccepted ? el('p', { role: 'status' }, tested.words) : alertOf(tested.words);
  } catch (error) {
    words = alertOf((error as Error).message);
  }
  const again = el('button', {
    type: 'button',
    onclick: () => void test(answered),
  });
  again.append('Test again');
  const correct = el('button', { type: 'button', onclick: askForSecrets }, 'Correct it');
  const approval = opened.kind === 'setup' ? ['Events flow once an operator has approved this.'] : [];
  show(...facts, words, ...approval.map((text) => el('p', {}, text)), timeLeft(), again, correct);
}

askForCode();
