import { makeInvitationCode, readInvitationCode } from './invitation-code.ts';

test('a code is read however it is typed', () => {
  const code = makeInvitationCode(new Uint8Array([1, 255, 33, 4, 0, 16, 10]));
  expect(code).toMatch(/^[0-9A-HJKMNP-TV-Z]{4}-[0-9A-HJKMNP-TV-Z]{4}$/);
  const plain = code.replace('-', '');
  for (const typed of [code, plain, code.toLowerCase(), ` ${plain.slice(0, 2)} ${plain.slice(2)} `]) {
    expect(readInvitationCode(typed)).toBe(plain);
  }
  expect(readInvitationCode(code.replaceAll('1', 'l').replaceAll('0', 'o'))).toBe(plain);
});

test('every single wrong character is found', () => {
  const plain = makeInvitationCode(new Uint8Array([7, 3, 31, 0, 12, 25, 9])).replace('-', '');
  for (let at = 0; at < plain.length; at++) {
    for (const other of '0123456789ABCDEFGHJKMNPQRSTVWXYZ') {
      if (other === plain[at]) continue;
      expect(readInvitationCode(plain.slice(0, at) + other + plain.slice(at + 1))).toBeUndefined();
    }
  }
  for (const typed of ['', 'ABC', `${plain}0`, 'ÄBCDEFGH']) expect(readInvitationCode(typed)).toBeUndefined();
});
