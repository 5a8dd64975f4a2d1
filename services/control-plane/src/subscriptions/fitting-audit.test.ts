import type { AuditRecord } from '@databridge/schemas/records/audit';
import { fittingAudit } from './fitting-audit.ts';

const record: AuditRecord = { id: 'x', at: 1, who: { name: 'ann', role: 'operator' }, what: 'pause', customer: 'acme' };
const large = (state: string) => ({
  state,
  match: { company: Array.from({ length: 40_000 }, (_, nth) => `company-${nth}`) },
});

test('a small record is written whole', () => {
  const small = { ...record, before: { state: 'active' }, after: { state: 'paused' } };
  expect(fittingAudit(small)).toBe(small);
});

test('of a large subscription, digests and what differs are written', () => {
  const fitted = fittingAudit({ ...record, before: large('active'), after: large('paused') });
  expect(JSON.stringify(fitted).length).toBeLessThan(2_000);
  expect(fitted).toMatchObject({
    what: 'pause',
    before: {
      tooLarge: true,
      bytes: JSON.stringify(large('active')).length,
      sha256: expect.stringMatching(/^[0-9a-f]{64}$/),
    },
    changes: [{ pointer: '/state', before: '"active"', after: '"paused"' }],
  });
});

test.each<[string, Partial<AuditRecord>]>([
  ['everything differs', { before: {}, after: large('active') }],
  ['one value is a megabyte', { before: {}, after: { filter: 'x'.repeat(1_000_000) } }],
  ['one name is a megabyte', { before: {}, after: { ['x'.repeat(1_000_000)]: 1 } }],
  ['an operation names many ids', { detail: { ids: Array.from({ length: 1_000 }, () => 'i'.repeat(400)) } }],
  ['an operation has many fields', { detail: Object.fromEntries(large('x').match.company.map((name) => [name, 1])) }],
  ['many secrets changed', { before: {}, after: {}, secrets: large('x').match.company }],
  ['it is deleted', { before: large('active') }],
])('whatever it was, it fits: %s', (_, given) => {
  expect(Buffer.byteLength(JSON.stringify(fittingAudit({ ...record, ...given })))).toBeLessThan(131_072);
});

test('many differences are counted beyond the first hundred', () => {
  expect(fittingAudit({ ...record, before: {}, after: large('active') })).toMatchObject({
    changes: { length: 100 },
    moreChanges: 39_901,
  });
});
