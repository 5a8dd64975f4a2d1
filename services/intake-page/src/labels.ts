/** The names of secrets for people, by place. */
const LABELS: Readonly<Record<string, string>> = {
  'authentication.password': 'Password',
  'authentication.key': 'Key',
  'authentication.clientSecret': 'Client secret',
  'authentication.clientKey': 'OAuth signing key (PEM)',
  'authentication.secretAccessKey': 'Secret access key',
  'tls.clientKey': 'TLS client key (PEM)',
};

/** A place without a name of its own is shown as it is, such as `authentication.headers.X-Tenant.secret`. */
export const labelOf = (place: string): string => LABELS[place] ?? place;
