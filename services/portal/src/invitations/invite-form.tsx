import type { Routes } from '@databridge/schemas/api/types';
import { useQuery } from '@tanstack/react-query';
import { type SubmitEvent, useState } from 'react';
import { ask } from '../api/client.ts';
import { CheckField, LongTextField, SelectField, TextField } from '../forms/field.tsx';
import { mistakesIn } from '../forms/mistakes.ts';
import { Failure } from '../parts/notices.tsx';

export type Asked = Routes['POST /v1/invitations']['body'];

interface InviteFormProps {
  readonly customer: string;
  readonly error: unknown;
  readonly isBusy: boolean;
  readonly onAsked: (asked: Asked) => void;
}

const LIVES = [
  ['24h', '24 hours'],
  ['72h', '72 hours'],
  ['7d', '7 days'],
] as const;

const lines = (data: FormData, name: string) =>
  String(data.get(name) ?? '')
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
const chosen = (data: FormData, name: string) => data.getAll(name).map(String);

/** The form for an invitation: the customer, the purpose and the lifetime. */
export function InviteForm({ customer: asked, error, isBusy, onAsked }: InviteFormProps) {
  const [kind, setKind] = useState<'setup' | 'secrets'>('setup');
  const [customer, setCustomer] = useState(asked);
  const mistakes = mistakesIn(error);
  const submit = (event: SubmitEvent<HTMLFormElement>) => {
    event.preventDefault();
    const data = new FormData(event.currentTarget);
    const hosts = lines(data, 'hosts');
    const reason = String(data.get('reason')).trim();
    onAsked({
      customer,
      ...(kind === 'secrets' ? { secrets: chosen(data, 'secrets') } : { setup: grantOf(data) }),
      ...(hosts.length > 0 && { hosts }),
      ...(reason !== '' && { reason }),
      life: String(data.get('life')),
    });
  };
  return (
    <form className="stack" onSubmit={submit}>
      <TextField
        label="Customer"
        hint="1 to 63 of a–z, 0–9 and -"
        required
        pattern="[a-z0-9\-]{1,63}"
        value={customer}
        mistakes={mistakes.at('/customer')}
        onChange={({ currentTarget: { value } }) => setCustomer(value)}
      />
      <SelectField
        label="Purpose"
        value={kind}
        options={[
          ['setup', 'A set-up: it states destination, authentication and rate'],
          ['secrets', 'Secrets of a customer that is set up'],
        ]}
        onChange={({ currentTarget: { value } }) => setKind(value === 'secrets' ? 'secrets' : 'setup')}
      />
      {kind === 'setup' ? <Grant mistakes={mistakes} /> : <Places customer={customer} mistakes={mistakes} />}
      <TextField
        label="Reason"
        name="reason"
        maxLength={500}
        hint="Shown to everyone who opens the link. Optional."
        mistakes={mistakes.at('/reason')}
      />
      <SelectField label="Valid for" name="life" defaultValue="72h" options={LIVES} mistakes={mistakes.at('/life')} />
      {error !== null && <Failure error={error} isChange />}
      <button type="submit" className="primary" disabled={isBusy}>
        {isBusy ? 'Inviting…' : 'Invite'}
      </button>
    </form>
  );
}

type Inner = { readonly mistakes: ReturnType<typeof mistakesIn> };

/** The events that the customer is granted: only an operator may choose them. */
function Grant({ mistakes }: Inner) {
  const types = useQuery({
    queryKey: ['event-types'],
    queryFn: ({ signal }) => ask('GET /v1/event-types', { signal }),
  });
  const sections = [...new Set((types.data?.eventTypes ?? []).flatMap((one) => one.sections))];
  return (
    <>
      <fieldset>
        <legend>Event types</legend>
        {(types.data?.eventTypes ?? []).map(({ name }, index) => (
          <CheckField key={name} label={name} name="eventTypes" value={name} defaultChecked={index === 0} />
        ))}
      </fieldset>
      {types.error !== null && <Failure error={types.error} />}
      <LongTextField
        label="Companies whose events it gets, one per line"
        name="company"
        required
        rows={2}
        mistakes={mistakes.at('/setup/match/company')}
      />
      <LongTextField
        label="Only events whose organisation is one of these, one per line"
        name="organisation"
        rows={2}
        hint="Empty: all."
        mistakes={mistakes.at('/setup/match/organisation')}
      />
      <LongTextField
        label="Only events whose folder is one of these, one per line"
        name="folder"
        rows={2}
        hint="Empty: all."
        mistakes={mistakes.at('/setup/match/folder')}
      />
      <LongTextField
        label="Only events that pass this filter"
        name="filter"
        rows={2}
        hint={'Such as event.summary.folder == "Support". The customer may narrow it later. Empty: all.'}
        mistakes={mistakes.at('/setup/filter')}
      />
      <fieldset>
        <legend>Sections of each event</legend>
        <p className="quiet">None selected: all.</p>
        {sections.map((name) => (
          <CheckField key={name} label={name} name="sections" value={name} />
        ))}
        {mistakes.at('/setup/sections').map((mistake) => (
          <p key={mistake} className="bad">
            {mistake}
          </p>
        ))}
      </fieldset>
      <LongTextField
        label="Hosts that it may use, one per line"
        name="hosts"
        rows={2}
        hint="Such as api.acme.example or *.acme.example. Empty: any."
        mistakes={mistakes.at('/hosts')}
      />
    </>
  );
}

function grantOf(data: FormData): NonNullable<Asked['setup']> {
  const [organisation, folder, sections] = [
    lines(data, 'organisation'),
    lines(data, 'folder'),
    chosen(data, 'sections'),
  ];
  const filter = String(data.get('filter')).trim();
  return {
    eventTypes: chosen(data, 'eventTypes'),
    match: {
      company: lines(data, 'company'),
      ...(organisation.length > 0 && { organisation }),
      ...(folder.length > 0 && { folder }),
    },
    ...(filter !== '' && { filter }),
    ...(sections.length > 0 && { sections }),
  };
}

const CLIENT_KEY = 'tls.clientKey';

function Places({ customer, mistakes }: Inner & { readonly customer: string }) {
  const isName = /^[a-z0-9-]{1,63}$/.test(customer);
  const secrets = useQuery({
    queryKey: ['customer', customer, 'secrets'],
    queryFn: ({ signal }) => ask('GET /v1/subscriptions/{customer}/secrets', { params: { customer }, signal }),
    enabled: isName,
  });
  const places = (secrets.data?.items ?? []).map(({ name }) => name).filter((name) => name !== CLIENT_KEY);
  return (
    <fieldset>
      <legend>Secrets to be entered</legend>
      {places.map((name) => (
        <CheckField key={name} label={name} name="secrets" value={name} defaultChecked={places.length === 1} />
      ))}
      {secrets.data !== undefined && (
        <CheckField
          label="A client certificate by request"
          name="secrets"
          value={CLIENT_KEY}
          hint="A delivery worker makes its key, and keeps it. The destination must be reached by https."
        />
      )}
      {secrets.error !== null && <Failure error={secrets.error} />}
      {mistakes.at('/secrets').map((mistake) => (
        <p key={mistake} className="bad">
          {mistake}
        </p>
      ))}
    </fieldset>
  );
}
