/**
 * The whole matrix of rights: every route with every role, every field of a subscription with every role. A route or a
 * field that is new fails here until somebody decides whose it is.
 */
import { FIELD_RIGHTS, fieldRight } from '@databridge/schemas/rights/field-rights';
import { ROUTE_RIGHTS } from '@databridge/schemas/rights/route-rights';
import { subscriptionSchema } from '@databridge/schemas/subscription/subscription';
import type { Api } from '../context.ts';
import {
  type Body,
  call,
  PATH,
  put,
  reset,
  SETTINGS,
  STORED,
  startApi,
  stored,
  TOKENS,
  type Who,
} from './rights-fixture.ts';

/** In the order of {@link TOKENS}: `+` let in, `-` refused as not allowed, `0` refused as if the customer did not exist. */
const EXPECTED: Record<keyof typeof ROUTE_RIGHTS, string> = {
  'GET /v1/openapi.json': '+++++',
  'GET /v1/event-types': '+++++',
  'GET /v1/event-types/:name': '+++++',
  'GET /v1/event-types/:name/page': '+++++',
  'GET /v1/asyncapi.json': '+++--',
  'GET /v1/facts': '+++++',
  'GET /v1/me': '+++++',
  'POST /v1/sessions': '+++++',
  'POST /v1/sessions/links': '+++++',
  'GET /v1/sessions': '+++++',
  'DELETE /v1/sessions/:id': '+++++',
  'GET /v1/subscriptions': '+++++',
  'GET /v1/subscriptions/:customer': '++++0',
  'PUT /v1/subscriptions/:customer': '+--+0',
  'PATCH /v1/subscriptions/:customer': '+--+0',
  'DELETE /v1/subscriptions/:customer': '+---0',
  'POST /v1/subscriptions/:customer/pause': '+--+0',
  'POST /v1/subscriptions/:customer/resume': '+--+0',
  'POST /v1/subscriptions/:customer/enable': '+--+0',
  'POST /v1/subscriptions/:customer/disable': '+---0',
  'POST /v1/subscriptions/:customer/comparisons': '+--+0',
  'GET /v1/subscriptions/:customer/secrets': '++++0',
  'PUT /v1/subscriptions/:customer/secrets/:name': '+--+0',
  'DELETE /v1/subscriptions/:customer/secrets/:name/fallback': '+--+0',
  'GET /v1/subscriptions/:customer/certificate-request': '++++0',
  'POST /v1/subscriptions/:customer/certificate-request': '+--+0',
  'PUT /v1/subscriptions/:customer/certificate': '+--+0',
  'GET /v1/sealing-keys': '+++++',
  'GET /v1/seals-to-rotate': '+----',
  'POST /v1/subscriptions/:customer/reseals': '+---0',
  'POST /v1/invitations': '+----',
  'GET /v1/invitations': '+++--',
  'POST /v1/invitations/:id/renew': '+----',
  'POST /v1/invitations/:id/revoke': '+----',
  'POST /v1/subscriptions/:customer/approve': '+---0',
  'GET /v1/status': '+++++',
  'GET /v1/subscriptions/:customer/status': '++++0',
  'GET /v1/subscriptions/:customer/explanation': '++++0',
  'GET /v1/events/:id/explanation': '+++--',
  'GET /v1/subscriptions/:customer/reconciliation': '++++0',
  'GET /v1/attempts/live': '+++++',
  'GET /v1/subscriptions/:customer/attempts': '++++0',
  'GET /v1/subscriptions/:customer/attempts/live': '++++0',
  'GET /v1/subscriptions/:customer/attempts/series': '++++0',
  'GET /v1/subscriptions/:customer/events': '++++0',
  'GET /v1/subscriptions/:customer/events/:id': '++++0',
  'GET /v1/subscriptions/:customer/events/:id/content': '+-++0',
  'GET /v1/events/:id': '+++--',
  'GET /v1/health': '+++--',
  'GET /v1/doctor': '+++--',
  'GET /v1/intake': '+++--',
  'GET /v1/workers': '+++--',
  'GET /v1/audit': '+++--',
  'GET /v1/subscriptions/:customer/audit': '++++0',
  'POST /v1/subscriptions/:customer/rewinds': '+--+0',
  'POST /v1/subscriptions/:customer/redeliveries': '+--+0',
  'GET /v1/subscriptions/:customer/dead-letters': '++++0',
  'GET /v1/subscriptions/:customer/dead-letters/:id': '+-++0',
  'POST /v1/subscriptions/:customer/dead-letters/redrives': '+--+0',
  'POST /v1/subscriptions/:customer/dead-letters/discards': '+--+0',
  'GET /v1/quarantine': '+++--',
  'POST /v1/quarantine/openings': '+----',
  'POST /v1/quarantine/redrives': '+----',
  'POST /v1/quarantine/discards': '+----',
  'GET /v1/operations': '+++++',
  'GET /v1/operations/:id': '+++++',
  'POST /v1/subscriptions/:customer/test': '+--+0',
  'POST /v1/subscriptions/:customer/rehearsals': '+--+0',
  'POST /v1/events': '+----',
  'POST /v1/erasures': '+----',
  'POST /v1/subscriptions/:customer/filters/try': '+-++0',
  'POST /v1/filters/try': '+++++',
};

/** What the OpenAPI document leaves out: other documents, and itself. */
const UNDESCRIBED = ['GET /v1/openapi.json', 'GET /v1/asyncapi.json', 'GET /v1/event-types/:name/page'];

interface Field {
  readonly change: Body;
  /** Status of a customer's PUT with it; the operator's is 200. */
  readonly customer: 200 | 403 | 422;
}

/** For each field, what would change it; and siblings of it, as a customer would try them. */
const FIELDS: Record<string, readonly Field[]> = {
  customer: [],
  eventTypes: [
    { change: { eventTypes: ['root-cause', 'more'], filter: undefined, sections: undefined }, customer: 403 },
  ],
  match: [
    { change: { match: { company: ['ACME', 'Globex'] } }, customer: 403 },
    { change: { match: { company: ['Globex'] } }, customer: 403 },
    { change: { match: 'everything' }, customer: 403 },
    { change: { match: { company: 'everything', folder: ['x'] } }, customer: 403 },
    { change: { match: { company: ['ACME'], folder: ['narrower'] } }, customer: 403 },
    { change: { match: { company: ['ACME'] } }, customer: 200 },
  ],
  filter: [
    { change: { filter: 'true' }, customer: 403 },
    { change: { filter: 'event.statusCode == 200 || true' }, customer: 403 },
    { change: { filter: '!(event.statusCode == 200)' }, customer: 403 },
    { change: { filter: 'event.statusCode == 200 && has(event.intent)' }, customer: 200 },
    { change: { filter: undefined }, customer: 200 },
  ],
  sections: [
    { change: { sections: ['summary', 'intent', 'dissatisfaction'] }, customer: 403 },
    { change: { sections: ['dissatisfaction'] }, customer: 403 },
    { change: { sections: ['intent'] }, customer: 200 },
    { change: { sections: undefined }, customer: 200 },
  ],
  destination: [{ change: { destination: { type: 'http', url: 'https://192.0.2.8/' } }, customer: 200 }],
  authentication: [
    {
      change: { authentication: { type: 'basic', username: 'u', password: 'p', name: undefined, key: undefined } },
      customer: 200,
    },
  ],
  tls: [{ change: { tls: {} }, customer: 200 }],
  signing: [{ change: { signing: { secrets: [`whsec_${Buffer.alloc(24).toString('base64')}`] } }, customer: 200 }],
  ratePerSecond: [
    { change: { ratePerSecond: 10_000 }, customer: 200 },
    { change: { ratePerSecond: 1_000_000 }, customer: 403 },
  ],
  freshFirst: [{ change: { freshFirst: { backlogShare: 0.5 } }, customer: 200 }],
  maxInFlight: [
    { change: { maxInFlight: 256 }, customer: 200 },
    { change: { maxInFlight: 10_000 }, customer: 403 },
  ],
  retention: [
    { change: { retention: { deliveryDays: 3_650 } }, customer: 403 },
    { change: { retention: { deadLetterDays: 3 } }, customer: 403 },
  ],
  ceilings: [
    { change: { ceilings: { ratePerSecond: 1_000_000, maxInFlight: 10_000 } }, customer: 403 },
    { change: { ceilings: { ratePerSecond: 1 } }, customer: 403 },
    { change: { ceilings: {} }, customer: 403 },
    { change: { ceilings: { ratePerSecond: 10_000, maxInFlight: 256 } }, customer: 200 },
  ],
  state: [
    { change: { state: 'paused' }, customer: 200 },
    { change: { state: 'disabled' }, customer: 403 },
  ],
  enableEpoch: [],
};

let api: Api;

beforeAll(async () => {
  api = await startApi();
});

afterAll(() => api.close());

describe('routes', () => {
  const listed = Object.entries(EXPECTED);

  test('are those of the table, and no others', async () => {
    const document = api.swagger() as { paths?: Record<string, Record<string, unknown>> };
    const described = Object.entries(document.paths ?? {}).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path.replaceAll(/\{(\w+)\}/g, ':$1')}`),
    );
    const all = [...described, ...UNDESCRIBED].sort();
    expect(Object.keys(ROUTE_RIGHTS).sort()).toEqual(all);
    expect(Object.keys(EXPECTED).sort()).toEqual(all);
  });

  test.each(listed)('%s: %s', async (route, expected) => {
    const [method = '', path = ''] = route.split(' ');
    const url = path.replace(':customer', 'acme').replace(/:\w+$/, 'x');
    await reset();
    const seen: string[] = [];
    for (const who of Object.keys(TOKENS) as Who[]) {
      const { status, body } = await call(who, method, url, method === 'GET' ? undefined : {});
      const isHidden = status === 404 && String(body['detail']) === 'There is no customer "acme"';
      seen.push(status === 403 ? '-' : isHidden ? '0' : '+');
    }
    expect(seen.join('')).toBe(expected);
  });

  test('without a token, only what is open to everybody', async () => {
    for (const [route, { access }] of Object.entries(ROUTE_RIGHTS)) {
      const [method = '', path = ''] = route.split(' ');
      const { statusCode } = await api.inject({ method: method as 'GET', url: path.replace(':customer', 'acme') });
      expect([route, statusCode === 401]).toEqual([route, access !== 'open']);
    }
  });
});

describe('fields', () => {
  test('are those of the table, and no others', () => {
    const fields = Object.keys(subscriptionSchema.shape);
    expect(Object.keys(FIELDS).sort()).toEqual([...fields].sort());
    const kept = ['granted', 'awaitsApproval', 'secretsSetAt', 'fallbacks'];
    for (const name of [...fields, ...kept]) expect([name, fieldRight([name])]).not.toEqual([name, undefined]);
    for (const name of Object.keys(FIELD_RIGHTS)) expect([...fields, ...kept]).toContain(name.split('.')[0]);
    for (const name of kept) expect([name, FIELD_RIGHTS[name as 'granted'].owner]).toEqual([name, 'service']);
  });

  const cases = Object.entries(FIELDS).flatMap(([name, changes]) =>
    changes.map(({ change, customer }) => [name, change, customer] as const),
  );

  test.each(cases)('%s: %j for a customer: %d', async (name, change, expected) => {
    // A merge patch removes by null what a PUT leaves out.
    const merged = JSON.parse(JSON.stringify(change, (_name, value) => value ?? null)) as Body;
    for (const [method, body] of [
      ['PUT', change],
      ['PATCH', merged],
    ] as const) {
      const answer = await put(
        'own',
        { ...body, ...(name === 'destination' && { authentication: SETTINGS.authentication }) },
        method,
      );
      expect([method, answer.status, answer.body.code]).toEqual([
        method,
        expected,
        expected === 200 ? undefined : 'DB_FORBIDDEN',
      ]);
      if (expected === 200) continue;
      expect(stored.get('acme')).toMatchObject({
        match: STORED.match,
        filter: STORED.filter,
        sections: STORED.sections,
      });
      const [error] = answer.body['errors'] as { pointer: string; detail: string }[];
      expect(error).toEqual({ pointer: `/${name}`, detail: expect.stringMatching(/operator/) });
    }
    const compared = await call('own', 'POST', `${PATH}/comparisons`, { ...SETTINGS, ...change });
    expect(compared.status).toBe(expected === 200 && name !== 'destination' ? 200 : compared.status);
    if (expected === 403) expect(compared.status).toBe(403);
    expect((await put('reader', change)).status).toBe(403);
    expect((await put('other', change)).status).toBe(404);
    if (name !== 'eventTypes') expect((await put('operator', change)).status).toBe(200);
  });

  test('a customer creates nothing, not even itself', async () => {
    stored.clear();
    const created = await call('own', 'PUT', PATH, SETTINGS, { 'if-none-match': '*' });
    expect([created.status, created.body.code, stored.size]).toEqual([403, 'DB_FORBIDDEN', 0]);
  });

  test('what belongs to others may be left out, and stays', async () => {
    const etag = await reset({ ceilings: { maxInFlight: 10 }, state: 'paused' });
    const { destination } = SETTINGS;
    const body = { destination, authentication: { ...SETTINGS.authentication, key: '[secret]' }, ratePerSecond: 3 };
    const { status } = await call('own', 'PUT', PATH, body, { 'if-match': etag });
    expect(status).toBe(200);
    const { customer: __, authentication: ___, ...rest } = STORED;
    expect(stored.get('acme')).toMatchObject({
      ...rest,
      ratePerSecond: 3,
      state: 'paused',
      ceilings: { maxInFlight: 10 },
    });
  });

  test('narrowing never becomes what the operator gave', async () => {
    await put('own', { filter: 'has(event.intent) && event.statusCode == 200', sections: ['summary'] });
    expect(stored.get('acme')).toMatchObject({ granted: { filter: STORED.filter, sections: STORED.sections } });
    const read = await call('operator', 'GET', PATH);
    // Sent back by an operator as it was read, it is not the operator's either.
    const { customer: __, enableEpoch: ___, ...body } = read.body;
    const back = await call('operator', 'PUT', PATH, { ...body, ratePerSecond: 1 }, { 'if-match': read.etag });
    expect(back.status).toBe(200);
    const again = { sections: STORED.sections, filter: STORED.filter };
    expect((await call('own', 'PATCH', PATH, again, { 'if-match': back.etag })).status).toBe(200);
    expect(stored.get('acme')).not.toHaveProperty('granted');
  });

  test('a customer that lowers its own limits may raise them again, to the ceiling and not above', async () => {
    const etag = await reset({ maxInFlight: 1_000 });
    const lower = await call('own', 'PATCH', PATH, { maxInFlight: 5 }, { 'if-match': etag });
    const higher = await call('own', 'PATCH', PATH, { maxInFlight: 1_000 }, { 'if-match': lower.etag });
    expect(higher).toMatchObject({ status: 200, body: { ceilings: { maxInFlight: 1_000, ratePerSecond: 10_000 } } });
    expect((await call('own', 'PATCH', PATH, { maxInFlight: 1_001 }, { 'if-match': higher.etag })).status).toBe(403);
  });

  test.each(['active', 'paused'])('an operator’s disabling is not undone by state %s', async (state) => {
    const etag = await reset({ state: 'disabled' });
    for (const method of ['PUT', 'PATCH']) {
      const body = method === 'PUT' ? { ...SETTINGS, state } : { state };
      const answer = await call('own', method, PATH, body, { 'if-match': etag });
      expect(answer).toMatchObject({ status: 403, body: { errors: [{ pointer: '/state' }] } });
    }
    // What leaves it alone is allowed.
    expect((await call('own', 'PATCH', PATH, { ratePerSecond: 1 }, { 'if-match': etag })).status).toBe(200);
    expect(stored.get('acme')?.state).toBe('disabled');
  });
});
