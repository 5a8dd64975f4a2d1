import { createSocket, type Socket } from 'node:dgram';
import { type LookupAddress, Resolver } from 'node:dns';
import { once } from 'node:events';
import { isIP } from 'node:net';

/** One answer to one query: addresses, of which those of the family asked for are sent; or another name (CNAME). */
export type DnsAnswer = readonly string[] | { readonly alias: string; readonly of: readonly string[] };

const TYPE = { A: 1, CNAME: 5, AAAA: 28 } as const;
const HEADER_BYTES = 12;
/** Points back at the question's name. */
const SAME_NAME = Buffer.from([0xc0, HEADER_BYTES]);

/** A name server on loopback that answers as told, with a time to live of zero. Closed with the test file. */
export class DnsServer {
  /** Names in the order of the queries for IPv4. */
  readonly queries: string[] = [];
  readonly #answers = new Map<string, DnsAnswer[]>();
  readonly #socket: Socket;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('message', (query, { address, port }) => socket.send(this.#reply(query), port, address));
  }

  static async start(): Promise<DnsServer> {
    const socket = createSocket('udp4').bind(0, '127.0.0.1');
    await once(socket, 'listening');
    const server = new DnsServer(socket);
    started.add(server);
    return server;
  }

  /** The first answer for the first time that the name is looked up, and so on; the last one for ever. */
  script(name: string, ...answers: DnsAnswer[]): void {
    this.#answers.set(name, answers);
  }

  /** As `dns.lookup` with `all`, but asks this server. */
  get lookup() {
    const resolver = new Resolver({ timeout: 20_000, tries: 1 });
    resolver.setServers([`127.0.0.1:${this.#socket.address().port}`]);
    return (
      name: string,
      _options: unknown,
      callback: (error: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => void,
    ): void => {
      // One after the other, so that both see the same answer of the script.
      resolver.resolve6(name, (_noIpv6, ipv6 = []) => {
        resolver.resolve4(name, (error, ipv4 = []) => {
          const found = [...ipv4, ...ipv6].map((address) => ({ address, family: isIP(address) }));
          callback(found.length === 0 ? error : null, found);
        });
      });
    };
  }

  #reply(query: Buffer): Buffer {
    const { name, end } = readName(query);
    const type = query.readUInt16BE(end);
    const script = this.#answers.get(name) ?? [];
    const answer = script[0];
    if (type === TYPE.A) {
      this.queries.push(name);
      if (script.length > 1) script.shift();
    }
    const records = answer === undefined ? [] : recordsOf(answer, type);
    const header = Buffer.alloc(HEADER_BYTES);
    query.copy(header, 0, 0, 2);
    // A response, authoritative, recursion available; 3: no such name.
    header.writeUInt16BE(answer === undefined ? 0x8583 : 0x8580, 2);
    header.writeUInt16BE(1, 4);
    header.writeUInt16BE(records.length, 6);
    return Buffer.concat([header, query.subarray(HEADER_BYTES, end + 4), ...records]);
  }

  close(): void {
    started.delete(this);
    this.#socket.close();
  }
}

function readName(query: Buffer): { name: string; end: number } {
  const labels: string[] = [];
  let at = HEADER_BYTES;
  for (let length = query[at] ?? 0; length > 0; length = query[at] ?? 0) {
    labels.push(query.toString('latin1', at + 1, at + 1 + length));
    at += 1 + length;
  }
  return { name: labels.join('.').toLowerCase(), end: at + 1 };
}

function recordsOf(answer: DnsAnswer, type: number): Buffer[] {
  if (!('alias' in answer)) return addressRecords(SAME_NAME, answer, type);
  const alias = Buffer.concat([
    ...answer.alias.split('.').map((label) => Buffer.from([label.length, ...Buffer.from(label, 'latin1')])),
    Buffer.from([0]),
  ]);
  return [record(SAME_NAME, TYPE.CNAME, alias), ...addressRecords(alias, answer.of, type)];
}

function addressRecords(name: Buffer, addresses: readonly string[], type: number): Buffer[] {
  const family = type === TYPE.A ? 4 : type === TYPE.AAAA ? 6 : 0;
  return addresses.filter((one) => isIP(one) === family).map((one) => record(name, type, bytesOf(one)));
}

function record(name: Buffer, type: number, data: Buffer): Buffer {
  const fixed = Buffer.alloc(10);
  fixed.writeUInt16BE(type, 0);
  // Class: Internet. The time to live stays 0.
  fixed.writeUInt16BE(1, 2);
  fixed.writeUInt16BE(data.length, 8);
  return Buffer.concat([name, fixed, data]);
}

function bytesOf(address: string): Buffer {
  if (isIP(address) === 4) return Buffer.from(address.split('.').map(Number));
  const [head = '', tail = ''] = new URL(`http://[${address}]`).hostname.slice(1, -1).split('::');
  const groups = (text: string) => (text === '' ? [] : text.split(':'));
  const zeros = Array.from({ length: 8 - groups(head).length - groups(tail).length }, () => '0');
  const all = [...groups(head), ...zeros, ...groups(tail)];
  return Buffer.from(all.map((group) => group.padStart(4, '0')).join(''), 'hex');
}

const started = new Set<DnsServer>();

afterAll(() => {
  for (const server of started) server.close();
});
