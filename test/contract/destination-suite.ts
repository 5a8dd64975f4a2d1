import type { Destination } from '@databridge/delivery/destination/destination';
import type { TimeSettings } from '@databridge/schemas/destination/time-limits';
import { message } from '../harness/destinations.ts';
import type { Front, Manner } from '../harness/services/front.ts';

/** What the suite has to know of a kind of destination. */
export interface Kind {
  /** With the settings given, at a front that passes to the counterpart. */
  open(times: TimeSettings): Promise<{ destination: Destination; front: Front }>;
  /** The bodies that the counterpart has now. */
  bodies(): Promise<string[]>;
  /** What this kind's service answers when it is in trouble, will not have an event, is asked too much, does not know us. */
  readonly answers: Readonly<Record<'retryable' | 'refused' | 'throttled' | 'unauthorized', Manner>>;
  /** More than it takes, and where that shows: here, before anything is sent, or in its answer. */
  readonly tooLarge: { readonly bytes: number; readonly answer?: Manner };
  /** Its status says all: 2xx headers are acceptance, whatever becomes of the body. AWS says more in the body. */
  readonly acceptsByStatus?: true;
}

const PATIENT = { timeoutMs: 10_000 };
/** Enough to get a connection and headers on a busy machine. */
const HASTY = { timeoutMs: 1_000 };

/** What every destination does, whatever it is. */
export function destinationSuite(name: string, kind: Kind): void {
  const sendWhile = async (manner: Manner, settings: TimeSettings = PATIENT) => {
    const { destination, front } = await kind.open(settings);
    front.manner = manner;
    const sent = await destination.send(message(), Date.now());
    return sent?.outcome;
  };

  /** 200 came, and its body did not come to an end. */
  const brokenOff = (why: string) =>
    kind.acceptsByStatus ? { kind: 'delivered', status: 200, note: why } : { kind: 'retry', reason: why };

  describe(name, () => {
    test('delivered: it has the event, as it was', async () => {
      const { destination } = await kind.open(PATIENT);
      const event = message();
      const sent = await destination.send(event, Date.now());
      expect(sent?.outcome).toEqual({ kind: 'delivered', status: 200 });
      expect(await kind.bodies()).toContain(event.body.toString());
    });

    test('retryable: its own trouble is worth another attempt', async () => {
      expect(await sendWhile(kind.answers.retryable)).toMatchObject({ kind: 'retry', reason: expect.any(String) });
    });

    test('refused: what it says no to is not sent again', async () => {
      expect(await sendWhile(kind.answers.refused)).toMatchObject({ kind: 'refused', reason: expect.any(String) });
    });

    test('throttled: is reported as 429, which lowers the rate', async () => {
      expect(await sendWhile(kind.answers.throttled)).toMatchObject({ kind: 'retry', status: 429 });
    });

    test('not known: the connection is at fault, not the event', async () => {
      expect(await sendWhile(kind.answers.unauthorized)).toMatchObject({ kind: 'deauthorized' });
    });

    test('connection trouble: a cut connection, and nobody there', async () => {
      expect(await sendWhile('drop')).toMatchObject({ kind: 'retry', reason: expect.stringMatching(/\w/) });
      const { destination, front } = await kind.open(PATIENT);
      await front.stop();
      const sent = await destination.send(message(), Date.now());
      expect(sent?.outcome).toMatchObject({ kind: 'retry', reason: expect.stringContaining('ECONNREFUSED') });
    });

    test('too large: is refused', async () => {
      const { destination, front } = await kind.open(PATIENT);
      front.manner = kind.tooLarge.answer ?? 'pass';
      const body = JSON.stringify({ text: 'x'.repeat(kind.tooLarge.bytes) });
      const sent = await destination.send(message({ body }), Date.now());
      expect(sent?.outcome).toMatchObject({ kind: 'refused', reason: expect.stringMatching(/too large|413/i) });
      expect(front.passed).toHaveLength(kind.tooLarge.answer === undefined ? 0 : 1);
    });

    test('time-out: one deadline for the whole, however the answer drips', async () => {
      expect(await Promise.all([sendWhile('hang', HASTY), sendWhile('drip', HASTY)])).toEqual([
        { kind: 'retry', reason: 'no answer within 1000 ms' },
        brokenOff('answer not complete within 1000 ms'),
      ]);
    });

    test('time-outs of phases: each says which one it was', async () => {
      const hastyHeaders = { ...PATIENT, headersTimeoutMs: 300 };
      expect(await sendWhile('hang', hastyHeaders)).toEqual({
        kind: 'retry',
        reason: 'no headers within 300 ms of the request',
      });
      const hastyBody = { ...PATIENT, bodyTimeoutMs: 300 };
      expect(await sendWhile('drip', hastyBody)).toEqual(brokenOff('answer not complete within 300 ms of its headers'));
    });

    test('abort: what is in flight ends at once, and counts as no attempt', async () => {
      const { destination, front } = await kind.open(PATIENT);
      front.manner = 'hang';
      const sending = destination.send(message(), Date.now());
      await front.came(1);
      await destination.abort();
      expect(await sending).toBeUndefined();
    });

    test('close: what is in flight ends as it would have', async () => {
      const { destination, front } = await kind.open(PATIENT);
      const answered = Promise.withResolvers<void>();
      front.manner = { ...(kind.answers.retryable as object), after: answered.promise } as Manner;
      const sending = destination.send(message(), Date.now());
      await front.came(1);
      const closing = destination.close();
      answered.resolve();
      expect((await sending)?.outcome).toMatchObject({ kind: 'retry', status: expect.any(Number) });
      await closing;
    });
  });
}
