import { withinCeilings } from '../rights/ceilings.ts';
import { mapSecrets, mapSecretsAsync } from './secret-places.ts';
import {
  decodeInterest,
  decodeSubscription,
  encodeSubscription,
  parseSubscription,
  type Subscription,
} from './subscription.ts';

const MINIMAL = {
  customer: 'acme',
  eventTypes: ['root-cause'],
  match: 'everything',
  destination: { type: 'http', url: 'https://acme.example/hook' },
};
const SIGNING = `whsec_${Buffer.alloc(24, 1).toString('base64')}`;
const FULL = {
  ...MINIMAL,
  match: { company: ['ACME Corporation'], folder: ['Support', 'Sales'] },
  authentication: { type: 'api-key', name: 'x-api-key', key: 'top-secret' },
  ratePerSecond: 0.5,
  signing: { secrets: [SIGNING, SIGNING] },
};
const SEALED = 'eyJh.a.b.c.d';

function parsed(value: unknown): Subscription {
  const result = parseSubscription(value);
  if (!result.ok) throw new Error(JSON.stringify(result.issues));
  return result.subscription;
}

function issuesOf(value: unknown): string[] {
  const result = parseSubscription(value);
  return result.ok ? [] : result.issues.map(({ path }) => path.join('.'));
}

test('what is left out has defaults', () => {
  expect(parsed(MINIMAL)).toEqual({
    ...MINIMAL,
    match: 'everything',
    destination: {
      type: 'http',
      url: 'https://acme.example/hook',
      method: 'POST',
      headers: {},
      timeoutMs: 10_000,
      format: 'json',
      gzip: false,
      handshake: false,
    },
    authentication: { type: 'none' },
    maxInFlight: 64,
    state: 'active',
    enableEpoch: 0,
  });
});

const OUT_OF_RANGE = [
  ...['ratePerSecond', 'ceilings.ratePerSecond'].flatMap((place) =>
    [0, -0, 1e-300, 0.000_999, 1_000_001, 1e300, Number.NaN, Number.POSITIVE_INFINITY, '5', null].map(
      (value) => [place, value] as const,
    ),
  ),
  ...['maxInFlight', 'ceilings.maxInFlight'].flatMap((place) =>
    [0, -0, 0.5, 10_001, Number.NaN, '5', true].map((value) => [place, value] as const),
  ),
  ...[0.049, 0.951, 1e-300, -0, '0.5'].map((value) => ['freshFirst.backlogShare', value] as const),
  ...['deliveryDays', 'retryDays', 'deadLetterDays', 'stoppedDays'].flatMap((name) =>
    [2, 3_651, 13.5, '20'].map((value) => [`retention.${name}`, value] as const),
  ),
  ...['timeoutMs', 'connectTimeoutMs', 'headersTimeoutMs', 'bodyTimeoutMs'].flatMap((name) =>
    [99, 20_001, 1e-300, '5000', 100.5].map((value) => [`destination.${name}`, value] as const),
  ),
  ...[-1, 0.5, '1'].map((value) => ['enableEpoch', value] as const),
];

test.each(OUT_OF_RANGE)('%s: %p is refused with its range or its kind', (place, value) => {
  const [outer = '', inner] = place.split('.');
  const given = inner === undefined ? value : { ...(outer === 'destination' && MINIMAL.destination), [inner]: value };
  const result = parseSubscription({ ...MINIMAL, [outer]: given });
  expect(result.ok ? [] : result.issues).toEqual([
    {
      path: place.split('.'),
      message: expect.stringMatching(/^must be (at least|at most) [\d.]+$|^must be a (whole )?number, not /),
    },
  ]);
});

test('a rate that an earlier version stored stops no customer', () => {
  const stored = { ...MINIMAL, match: {}, ratePerSecond: 1e-300 };
  const read = decodeSubscription('acme', Buffer.from(JSON.stringify(stored)));
  expect(read.ok && withinCeilings(read.subscription).ratePerSecond).toBe(0.001);
});

test('filter and sections are checked by the schemas of the event types', () => {
  const messages = (more: object) => {
    const result = parseSubscription({ ...MINIMAL, ...more });
    return result.ok ? [] : result.issues.map(({ path, message }) => `${path.join('.')} ${message}`);
  };
  expect(messages({ filter: 'has(event.callback)', sections: ['summary', 'callback'] })).toEqual([]);
  expect(messages({ filter: 'has(event.calback)', sections: ['summary', 'calback'] })).toEqual([
    'filter at character 1: the event has no "calback" there; did you mean "callback"?',
    'sections.1 is not a section; did you mean "callback"?',
  ]);
  expect(messages({ sections: ['zzz'] })[0]).toContain('there are summary, clientwords, intent');
  expect(messages({ sections: ['intent', 'intent'] })).toEqual(['sections names a section twice']);
  expect(messages({ sections: [] })).toHaveLength(1);
  expect(messages({ eventTypes: ['root-cause', 'other'], filter: 'true' })).toEqual([
    'eventTypes.1 has no schema, which filter and sections need',
  ]);
  // Nobody's schema is asked for where nothing is to be checked by it.
  expect(messages({ eventTypes: ['other'] })).toEqual([]);
});

test('a stored filter that no longer fits its schema stops neither routing nor delivery', () => {
  const stored = Buffer.from(JSON.stringify({ ...parsed(MINIMAL), match: {}, filter: 'event.gone == 1' }));
  expect(decodeInterest(stored)).toMatchObject({ filter: 'event.gone == 1' });
  expect(decodeSubscription('acme', stored).ok).toBe(true);
  expect(decodeInterest(Buffer.from(JSON.stringify({ ...MINIMAL, match: {}, filter: 7 })))).not.toHaveProperty(
    'filter',
  );
});

test('all mistakes are reported at once, each with its place', () => {
  const issues = issuesOf({
    customer: 'ACME Corp',
    eventTypes: [],
    match: { company: [], county: ['x'] },
    destination: { type: 'http', url: 'ftp://u:p@acme.example/#x', method: 'GET', timeoutMs: 60_000 },
    authentication: { type: 'basic', username: 'a:b', password: 'x' },
    ratePerSecond: 0,
    signing: { secrets: ['whsec_short'] },
  });
  expect(new Set(issues)).toEqual(
    new Set([
      'customer',
      'eventTypes',
      'match.company',
      'match.county',
      'destination.url',
      'destination.method',
      'destination.timeoutMs',
      'authentication.username',
      'ratePerSecond',
      'signing.secrets.0',
    ]),
  );
});

test.each(['Host', 'content-length', 'Webhook-Id', 'databridge-attempt', 'Authorization', 'bad name'])(
  'a destination may not set the header %s',
  (name) => {
    const destination = { ...MINIMAL.destination, headers: { [name]: 'x' } };
    expect(issuesOf({ ...MINIMAL, destination })).toEqual([`destination.headers.${name}`]);
  },
);

test('no message tells a secret', () => {
  const password = 'hunter2\u0000';
  const authentication = { type: 'basic', username: 'u', password };
  const signing = { secrets: ['whsec_my-signing-secret'] };
  const result = parseSubscription({ ...MINIMAL, authentication, signing });
  expect(result.ok).toBe(false);
  expect(JSON.stringify(result)).not.toMatch(/hunter2|my-signing-secret/);
});

describe('secrets', () => {
  test('are mapped wherever they stand, by name of their place', () => {
    const places: string[] = [];
    const mapped = mapSecrets(parsed(FULL), (_secret, path) => {
      places.push(path);
      return 0;
    });
    expect(places).toEqual(['authentication.key', 'signing.secrets.0', 'signing.secrets.1']);
    expect(JSON.stringify(mapped)).not.toMatch(/top-secret|whsec/);
  });

  test('are mapped in time as well', async () => {
    const mapped = await mapSecretsAsync(parsed(FULL), async (secret, path) => `${path}=${secret.length}`);
    expect(mapped.authentication).toEqual({ type: 'api-key', name: 'x-api-key', key: 'authentication.key=10' });
    expect(mapped.signing?.secrets[1]).toMatch(/^signing.secrets.1=/);
  });

  test('never get into a record unsealed', () => {
    expect(() => encodeSubscription(parsed(FULL))).toThrow('is not sealed');
    expect(() => encodeSubscription(parsed(FULL))).not.toThrow('top-secret');
  });
});

describe('the record', () => {
  const sealed = mapSecrets(parsed(FULL), () => SEALED);

  test('comes back as it was written', () => {
    expect(decodeSubscription('acme', encodeSubscription(sealed))).toEqual({ ok: true, subscription: sealed });
  });

  test('of what awaits approval is paused, and one of before is read so', () => {
    const paused = { ...sealed, state: 'paused', awaitsApproval: true } as const;
    expect(() => encodeSubscription({ ...paused, state: 'active' })).toThrow('awaits approval');
    const old = Buffer.from(encodeSubscription(paused).toString().replace('"paused"', '"active"'));
    for (const record of [encodeSubscription(paused), old]) {
      expect(decodeSubscription('acme', record)).toEqual({ ok: true, subscription: paused });
    }
    const disabled = { ...paused, state: 'disabled' } as const;
    expect(decodeSubscription('acme', encodeSubscription(disabled))).toEqual({ ok: true, subscription: disabled });
  });

  test.each([
    ['no JSON', 'acme', Buffer.from('{')],
    ['another customer’s key', 'other', encodeSubscription(sealed)],
    ['a secret in the open', 'acme', Buffer.from(JSON.stringify(FULL))],
    ['something else', 'acme', Buffer.from('null')],
  ])('%s is refused as a value', (_what, key, value) => {
    expect(decodeSubscription(key, value)).toEqual({ ok: false, issues: expect.any(Array) });
  });
});

describe('interest', () => {
  test('is read of a subscription whose other parts only newer services know', () => {
    const value = { ...MINIMAL, match: { company: ['ACME'] }, destination: { type: 'pigeon' }, since: 'later' };
    expect(decodeInterest(Buffer.from(JSON.stringify(value)))).toEqual({
      eventTypes: ['root-cause'],
      match: { company: ['ACME'] },
    });
  });

  test.each(['', 'null', '{"eventTypes":"all"}'])('is not made up from %j', (text) => {
    expect(decodeInterest(Buffer.from(text))).toBeUndefined();
  });
});

describe('all mistakes in one round', () => {
  const issuesOf = (change: object) => {
    const base = { customer: 'acme', eventTypes: ['root-cause'], match: 'everything' };
    const parsed = parseSubscription({ ...base, destination: { type: 'http', url: 'https://a.example/' }, ...change });
    return parsed.ok ? [] : parsed.issues.map(({ path }) => path.join('.'));
  };

  test.each<[string, object, string[]]>([
    ['of a field, and of a filter', { match: undefined, filter: 'event.sumary == 1' }, ['match', 'filter']],
    ['of a section, and of a number', { sections: ['nobody'], ratePerSecond: 0 }, ['ratePerSecond', 'sections.0']],
    [
      'of a header that is reserved, and of the customer',
      { customer: 'A', destination: { type: 'http', url: 'https://a.example/', headers: { via: 'x' } } },
      ['customer', 'destination.headers.via'],
    ],
    [
      'of event types alone: a filter can’t be checked then',
      { eventTypes: [], filter: 'event.sumary == 1' },
      ['eventTypes'],
    ],
  ])('%s', (_what, change, paths) => {
    expect(issuesOf(change).sort()).toEqual([...paths].sort());
  });

  test('what is sound can be checked further, and the rest is named', () => {
    const parsed = parseSubscription({ customer: 'acme', eventTypes: ['root-cuase'], destination: { type: 'pigeon' } });
    if (parsed.ok || parsed.sound === undefined) throw new Error('no sound part');
    expect(parsed.sound.subscription).toMatchObject({ customer: 'acme', eventTypes: ['root-cuase'] });
    expect([...parsed.sound.replaced]).toEqual(expect.arrayContaining(['match', 'destination', 'authentication']));
    expect(parseSubscription('nonsense')).toEqual({ ok: false, issues: expect.any(Array) });
  });
});
