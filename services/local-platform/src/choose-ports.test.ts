import { once } from 'node:events';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { choosePorts } from './choose-ports.ts';
import { PORTS } from './platform-config.ts';

let occupied: Server;
let port: number;

beforeEach(async () => {
  occupied = createServer().listen(0, '127.0.0.1');
  await once(occupied, 'listening');
  ({ port } = occupied.address() as AddressInfo);
});

afterEach(() => occupied.close());

test('the usual port is kept while it is free; a free one is taken otherwise, and said so', async () => {
  const notes: string[] = [];
  const note = (sentence: string) => notes.push(sentence);
  const usual = PORTS.API_PORT.usual;
  const blocker = createServer().listen(usual, '127.0.0.1');
  await new Promise((resolve) => blocker.once('listening', resolve).once('error', resolve));
  const chosen = await choosePorts(['API_PORT'], {}, note);
  expect(chosen.API_PORT).not.toBe(usual);
  expect(notes).toEqual([
    `port ${usual} of the API is taken: port ${chosen.API_PORT} is used this time; API_PORT sets another`,
  ]);
  blocker.close();
});

test('a port that was asked for and is taken is an error that names the setting', async () => {
  const asked = { API_PORT: port, LOCAL_KAFKA_PORT: 0 };
  await expect(choosePorts(['LOCAL_KAFKA_PORT', 'API_PORT'], asked, () => undefined)).rejects.toMatchObject({
    code: 'DB_PLATFORM_PORT_TAKEN',
    message: `API_PORT=${port} (the API): another program listens on that port. End that program or set another port, or 0 for a free one.`,
  });
});

test('one port for two is refused', async () => {
  occupied.close();
  await once(occupied, 'close');
  const asked = { API_PORT: port, FAN_OUT_HTTP_PORT: port };
  await expect(choosePorts(['API_PORT', 'FAN_OUT_HTTP_PORT'], asked, () => undefined)).rejects.toThrow(
    `API_PORT and FAN_OUT_HTTP_PORT are both ${port}`,
  );
});
