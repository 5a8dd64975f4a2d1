import fc from 'fast-check';
import { frame, payloadOf, schemaIdOf } from './confluent-frame.ts';

test('a frame gives back its id and its payload', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 2 ** 31 - 1 }), fc.uint8Array(), (id, bytes) => {
      const value = frame(id, Buffer.from(bytes));
      expect(schemaIdOf(value)).toBe(id);
      expect(payloadOf(value)).toEqual(Buffer.from(bytes));
    }),
  );
});

test.each([
  ['nothing', []],
  ['one byte', [0]],
  ['an id cut short', [0, 0, 0, 1]],
  ['another magic byte', [1, 0, 0, 0, 1, 2]],
  ['JSON', [...Buffer.from('{"a":1}')]],
  ['id 0', [0, 0, 0, 0, 0, 2]],
  ['an id past what registries give', [0, 255, 0, 0, 0, 2]],
])('%s is malformed, and said to be so without throwing', (_name, bytes) => {
  expect(schemaIdOf(Buffer.from(bytes))).toEqual({ malformed: expect.any(String) });
});
