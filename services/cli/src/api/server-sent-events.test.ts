import fc from 'fast-check';
import { type ServerSentEvent, serverSentEvents } from './server-sent-events.ts';

async function read(chunks: Uint8Array[]): Promise<ServerSentEvent[]> {
  const stream = (async function* () {
    yield* chunks;
  })();
  const events: ServerSentEvent[] = [];
  for await (const event of serverSentEvents(stream)) events.push(event);
  return events;
}

const STREAM =
  ': open\n\nid: 7\nevent: attempt\ndata: {"a":"ü"}\n\n: still here\n\ndata:one\r\ndata: two\r\n\r\ndata: never ended';

test('events come whole, however the bytes are cut', async () => {
  const bytes = Buffer.from(STREAM);
  await fc.assert(
    fc.asyncProperty(fc.array(fc.nat(bytes.length), { maxLength: 8 }), async (cuts) => {
      const places = [0, ...cuts.sort((a, b) => a - b), bytes.length];
      const chunks = places.slice(1).map((end, index) => bytes.subarray(places[index], end));
      expect(await read(chunks)).toEqual([
        { id: '7', event: 'attempt', data: '{"a":"ü"}' },
        { event: 'message', data: 'one\ntwo' },
      ]);
    }),
  );
});
