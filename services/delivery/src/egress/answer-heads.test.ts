import { AnswerHeads } from './answer-heads.ts';

/** The bytes of an answer that reach undici's parser. */
function passed(answer: string): string {
  const heads = new AnswerHeads((error) => {
    throw error;
  });
  heads.begin();
  return heads.pass(Buffer.from(answer, 'latin1')).toString('latin1');
}

const answerWith = (headers: string) => `HTTP/1.1 200 OK\r\nserver: x\r\n${headers}\r\nx-last: y\r\n\r\nok`;

test.each([
  ['in two headers', 'Content-Length: 2\r\ncontent-length: 2'],
  ['in three, with blanks', 'content-length:2\r\nx-a: b\r\nCONTENT-LENGTH:  2 \r\ncontent-length: 2'],
  ['joined by a proxy', 'content-length: 2, 2'],
  ['joined and repeated', 'content-length: 2,2\r\ncontent-length: 2'],
])('one length that is stated several times, %s, is one (RFC 9112 §6.3)', (_what, headers) => {
  const lines = passed(answerWith(headers)).split('\r\n');
  expect(lines.filter((line) => /^content-length/i.test(line))).toEqual(['content-length: 2']);
  expect([lines[0], lines.at(-1), lines.includes('x-last: y')]).toEqual(['HTTP/1.1 200 OK', 'ok', true]);
});

test.each([
  'content-length: 2',
  'content-length: 2\r\ncontent-length: 3',
  'content-length: 2, 3',
  'content-length: 2,',
  'content-length: two, two',
  'content-length: 2\r\ncontent-length:',
  'x-content-length: 2, 2',
  'x-a: content-length: 2, 2',
])('anything else stays as it is, for the parser to check: %j', (headers) => {
  expect(passed(answerWith(headers))).toBe(answerWith(headers));
});
