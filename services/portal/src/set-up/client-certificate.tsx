/** A client certificate whose key only the delivery workers have: requested here, signed elsewhere, entered here. */
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { type SubmitEvent, useEffect, useState } from 'react';
import { ApiError, ask } from '../api/client.ts';
import { LongTextField } from '../forms/field.tsx';
import { mistakesIn } from '../forms/mistakes.ts';
import { Failure } from '../parts/notices.tsx';
import { Time } from '../time/zone.tsx';

export function ClientCertificate({ customer }: { readonly customer: string }) {
  const queries = useQueryClient();
  const queryKey = ['customer', customer, 'certificate-request'];
  const latest = useQuery({
    queryKey,
    queryFn: ({ signal }) =>
      ask('GET /v1/subscriptions/{customer}/certificate-request', { params: { customer }, signal }),
  });
  const request = useMutation({
    mutationFn: () => ask('POST /v1/subscriptions/{customer}/certificate-request', { params: { customer }, body: {} }),
    onSuccess: (made) => queries.setQueryData(queryKey, made),
  });
  const isNone = latest.error instanceof ApiError && latest.error.problem.status === 404;
  return (
    <section aria-labelledby="certificate">
      <h2 id="certificate">Client certificate by request</h2>
      <p>
        A delivery worker makes a key, which nobody else ever has. Have its request signed by an authority that the
        destination trusts, and hand the certificate back here.
      </p>
      {latest.error !== null && !isNone && <Failure error={latest.error} />}
      {request.error !== null && <Failure error={request.error} isChange />}
      <button type="button" disabled={request.isPending} onClick={() => request.mutate()}>
        {request.isPending
          ? 'A worker makes it…'
          : `Make a ${latest.data === undefined ? '' : 'new '}key and a request`}
      </button>
      {latest.data !== undefined && (
        <>
          <p>
            Request for {latest.data.commonName}, made <Time ms={latest.data.madeAtMs} />.{' '}
            <Download csr={latest.data.csr} />
          </p>
          <LongTextField label="Certificate request" readOnly rows={8} value={latest.data.csr} />
          <HandBack customer={customer} />
        </>
      )}
    </section>
  );
}

function Download({ csr }: { readonly csr: string }) {
  const [url, setUrl] = useState<string>();
  useEffect(() => {
    const made = URL.createObjectURL(new Blob([csr], { type: 'application/pkcs10' }));
    setUrl(made);
    return () => URL.revokeObjectURL(made);
  }, [csr]);
  return (
    <a href={url} download="databridge.csr">
      Download it
    </a>
  );
}

function HandBack({ customer }: { readonly customer: string }) {
  const queries = useQueryClient();
  const save = useMutation({
    mutationFn: (certificate: string) =>
      ask('PUT /v1/subscriptions/{customer}/certificate', { params: { customer }, body: { certificate } }),
    onSuccess: () => queries.invalidateQueries({ queryKey: ['customer', customer] }),
  });
  const submit = (event: SubmitEvent<HTMLFormElement>) => {
    event.preventDefault();
    save.mutate(String(new FormData(event.currentTarget).get('certificate')));
  };
  return (
    <form className="stack" onSubmit={submit}>
      <LongTextField
        label="Signed certificate and its chain (PEM)"
        name="certificate"
        required
        rows={6}
        mistakes={mistakesIn(save.error).at('/certificate')}
      />
      <div role="status">
        {save.error !== null && <Failure error={save.error} isChange />}
        {save.isSuccess && (
          <p>The certificate is in use, with its key. Send a test event to see that the destination accepts it.</p>
        )}
      </div>
      <button type="submit" className="primary" disabled={save.isPending}>
        {save.isPending ? 'Saving…' : 'Use this certificate'}
      </button>
    </form>
  );
}
