import type { Outcome } from '../attempt/outcome.ts';
import type { BufferedRecord } from '../lanes/buffered-records.ts';
import { Connection } from './connection.ts';

const delivered: Outcome = { kind: 'delivered', status: 200 };
const unauthorized: Outcome = { kind: 'deauthorized', reason: 'status 401', status: 401 };
const notFound: Outcome = { kind: 'refused', reason: 'status 404', status: 404 };
const at = (ms: number) => ({ wallMs: ms, monotonicMs: ms });
const record = () => ({}) as BufferedRecord;

test('one 401 holds the customer, and a success lets it go on', () => {
  const connection = new Connection();
  expect(connection.recordOutcome(record(), unauthorized, at(0)).kind).toBe('deauthorized');
  expect(connection.held).toMatchObject({ because: 'deauthorized', sinceMs: 0 });
  connection.recordOutcome(record(), delivered, at(1_000));
  expect(connection.held).toBeUndefined();
});

test('failed probes come further and further apart, up to a minute; answers in flight together count once', () => {
  const connection = new Connection();
  const waits: number[] = [];
  for (let nowMs = 0, i = 0; i < 9; i++, nowMs = connection.probeAtMs) {
    connection.recordOutcome(record(), unauthorized, at(nowMs));
    connection.recordOutcome(record(), unauthorized, at(nowMs));
    waits.push(connection.probeAtMs - nowMs);
  }
  expect(waits).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000, 60_000]);
});

test('an event that alone is turned away is refused once another one succeeded, and holds nobody any more', () => {
  const connection = new Connection();
  const poison = record();
  connection.recordOutcome(poison, unauthorized, at(0));
  expect(connection.wasTurnedAway(poison)).toBe(true);
  connection.recordOutcome(record(), delivered, at(1_000));
  expect(connection.recordOutcome(poison, unauthorized, at(2_000)).kind).toBe('refused');
  expect(connection.held).toBeUndefined();
});

test('events turned away while the key was wrong are delivered once it is right, not refused', () => {
  const connection = new Connection();
  const waiting = record();
  connection.recordOutcome(waiting, unauthorized, at(0));
  connection.recordOutcome(record(), delivered, at(1_000));
  expect(connection.recordOutcome(waiting, delivered, at(2_000)).kind).toBe('delivered');
});

test('an address that may not be sent to holds the customer, and is no event’s fault however often it comes', () => {
  const blocked: Outcome = { kind: 'blocked', reason: 'a loopback address' };
  const connection = new Connection();
  const waiting = record();
  for (let nowMs = 0; nowMs < 5_000; nowMs += 1_000) {
    expect(connection.recordOutcome(waiting, blocked, at(nowMs))).toEqual(blocked);
    expect(connection.held).toMatchObject({ because: 'blocked', detail: 'a loopback address' });
    connection.recordOutcome(record(), delivered, at(nowMs + 500));
    expect(connection.held).toBeUndefined();
  }
});

test('many refusals in a row hold the customer, and from then on cost no event its place', () => {
  const connection = new Connection();
  const kinds = Array.from({ length: 25 }, () => connection.recordOutcome(record(), notFound, at(0)).kind);
  expect(kinds.filter((kind) => kind === 'refused')).toHaveLength(19);
  expect(kinds.slice(19).every((kind) => kind === 'deauthorized')).toBe(true);
  expect(connection.held?.because).toBe('refusals');
});

test('a success in between resets the count of refusals', () => {
  const connection = new Connection();
  for (let i = 0; i < 100; i++) {
    connection.recordOutcome(record(), i % 19 === 18 ? delivered : notFound, at(0));
    expect(connection.held).toBeUndefined();
  }
});
