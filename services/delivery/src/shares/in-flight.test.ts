import { InFlight } from './in-flight.ts';

test('an event larger than the share of its customer goes out alone', () => {
  const share = new InFlight({ requests: 100, bytes: 1_000 }).join(() => undefined);
  expect(share.requestRoom(5_000)).toBe(true);
  share.begin(5_000);
  expect(share.requestRoom(1)).toBe(false);
  share.end(5_000);
  expect([share.requestRoom(1), share.count]).toEqual([true, 0]);
});

test('one customer with large events leaves memory to the others', () => {
  const inFlight = new InFlight({ requests: 10_000, bytes: 1_000_000 });
  const [greedy, modest] = [inFlight.join(() => undefined), inFlight.join(() => undefined)];
  while (greedy.requestRoom(10_000)) greedy.begin(10_000);
  // Three copies each; it keeps below three quarters of the whole.
  expect(greedy.count).toBeLessThanOrEqual(25);
  for (let i = 0; i < 8; i++) {
    expect(modest.requestRoom(10_000)).toBe(true);
    modest.begin(10_000);
  }
});
