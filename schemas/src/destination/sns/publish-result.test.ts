import { publishResult } from './publish-result.ts';

const answer = (status: number, body: string) => ({ status, headers: {}, body });
const error = (code: string, message: string) =>
  `<ErrorResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/"><Error><Type>Sender</Type><Code>${code}</Code><Message>${message}</Message></Error></ErrorResponse>`;

test('only a 200 with a message id is a delivery', () => {
  const accepted = '<PublishResponse><PublishResult><MessageId>567910cd</MessageId></PublishResult></PublishResponse>';
  expect(publishResult(answer(200, accepted))).toEqual({ each: [{ kind: 'delivered', status: 200 }] });
  for (const body of ['', '<html>welcome</html>', '{"MessageId":"1"}']) {
    expect(publishResult(answer(200, body))).toMatchObject({ all: { kind: 'retry', status: 200 } });
  }
});

test('the code of an error decides, not its status alone', () => {
  const outcomeOf = (status: number, code: string) =>
    publishResult(answer(status, error(code, 'too &quot;long&quot;')));
  expect(outcomeOf(400, 'InvalidParameter')).toEqual({
    all: { kind: 'refused', reason: 'InvalidParameter: too "long"', status: 400 },
    mayBeOneMessage: false,
  });
  expect(outcomeOf(400, 'Throttling')).toMatchObject({ all: { kind: 'retry', status: 429 } });
  expect(outcomeOf(403, 'InvalidClientTokenId')).toMatchObject({ all: { kind: 'deauthorized' } });
  expect(outcomeOf(400, 'RequestExpired')).toMatchObject({ all: { kind: 'retry', status: 400 } });
});

test('an error page that is not of SNS counts by its status', () => {
  expect(publishResult(answer(502, '<html>bad gateway</html>'))).toMatchObject({ all: { kind: 'retry', status: 502 } });
  expect(publishResult(answer(403, 'denied'))).toMatchObject({ all: { kind: 'deauthorized', status: 403 } });
});
