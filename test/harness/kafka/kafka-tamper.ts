/**
 * A relay before a broker that understands what passes through it: its answers can be made to say what real brokers say
 * in bad hours, for some partitions, groups or sessions only. The broker itself does nothing wrong.
 */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

/** Keys of the protocol: https://kafka.apache.org/protocol#protocol_api_keys. Answers of other requests pass untouched. */
const FETCH = 1;
const METADATA = 3;
const FIND_COORDINATOR = 10;
/** The versions that the lane reader speaks (kafkajs/wire-requests.ts, flexible-requests.ts); others pass untouched. */
const FETCH_VERSION = 11;
const METADATA_VERSION = 6;
/** Of many groups; kafkajs's own clients ask for one. */
const FIND_COORDINATORS_VERSION = 4;
const FIND_COORDINATOR_VERSION = 2;

const SESSION_NOT_FOUND = 70;
const LENGTH_BYTES = 4;
/** Of nobody: a port below 1024 on which nothing listens in tests. */
const DEAD_PORT = 1;
const DEAD_NODE = 99;

interface Asked {
  readonly key: number;
  readonly version: number;
  /** Of a coordinator's request. */
  readonly group: string;
}

export class KafkaTamper {
  /** The error code that fetch answers have for a topic's partitions, whatever the broker said; 0: none. */
  errorOf: (topic: string) => number = () => 0;
  /** Groups whose coordinator is said to be a broker that can't be reached. */
  readonly unreachable = new Set<string>();
  /** How many answers were changed. */
  changed = 0;
  #evictions = 0;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(brokerPort: number) {
    this.#server = createServer((inside) => this.#join(inside, connect(brokerPort, '127.0.0.1')));
  }

  /** @param broker as `host:port`, on this machine */
  static async start(broker: string): Promise<KafkaTamper> {
    const tamper = new KafkaTamper(Number(broker.slice(broker.lastIndexOf(':') + 1)));
    tamper.#server.listen(0, '127.0.0.1');
    await once(tamper.#server, 'listening');
    return tamper;
  }

  /** Where clients find the broker. */
  get broker(): string {
    return `127.0.0.1:${this.#port}`;
  }

  /** The next so many fetch answers say that the broker has dropped the session. */
  evict(answers: number): void {
    this.#evictions = answers;
  }

  /** Evictions that no fetch has met yet. */
  get evictionsLeft(): number {
    return this.#evictions;
  }

  async stop(): Promise<void> {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
    if (this.#server.listening) await once(this.#server, 'close');
  }

  get #port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  #join(inside: Socket, outside: Socket): void {
    const asked = new Map<number, Asked>();
    for (const socket of [inside, outside]) {
      this.#sockets.add(socket);
      socket.on('close', () => {
        this.#sockets.delete(socket);
        inside.destroy();
        outside.destroy();
      });
      // Either end may be killed at any time.
      socket.on('error', () => socket.destroy());
    }
    eachFrame(inside, (frame) => {
      asked.set(frame.readInt32BE(LENGTH_BYTES + 4), requestIn(frame));
      outside.write(frame);
    });
    eachFrame(outside, (frame) => {
      const correlation = frame.readInt32BE(LENGTH_BYTES);
      const request = asked.get(correlation);
      asked.delete(correlation);
      if (request !== undefined) this.#change(frame, request);
      inside.write(frame);
    });
  }

  #change(frame: Buffer, { key, version, group }: Asked): void {
    const at = new Cursor(frame, LENGTH_BYTES + 4);
    if (key === FETCH && version === FETCH_VERSION) this.#changeFetch(frame, at);
    if (key === METADATA && version === METADATA_VERSION) {
      at.skip(4);
      for (let brokers = at.int32(); brokers > 0; brokers--) {
        at.skip(4);
        at.text();
        frame.writeInt32BE(this.#port, at.at);
        at.skip(4);
        at.text();
      }
    }
    if (key === FIND_COORDINATOR && version === FIND_COORDINATOR_VERSION) {
      at.skip(6);
      at.text();
      this.#changeCoordinator(frame, at, group, () => at.text());
    }
    if (key === FIND_COORDINATOR && version === FIND_COORDINATORS_VERSION) {
      at.tags();
      at.skip(4);
      for (let groups = at.uvarint() - 1; groups > 0; groups--) {
        this.#changeCoordinator(frame, at, at.compactText(), () => at.compactText());
        at.skip(2);
        at.compactText();
        at.tags();
      }
    }
  }

  #changeCoordinator(frame: Buffer, at: Cursor, group: string, skipHost: () => void): void {
    const isUnreachable = this.unreachable.has(group);
    if (isUnreachable) frame.writeInt32BE(DEAD_NODE, at.at);
    if (isUnreachable) this.changed++;
    at.skip(4);
    skipHost();
    frame.writeInt32BE(isUnreachable ? DEAD_PORT : this.#port, at.at);
    at.skip(4);
  }

  #changeFetch(frame: Buffer, at: Cursor): void {
    at.skip(4);
    // Without a session there is none to evict: kafkajs's own consumers have none.
    if (this.#evictions > 0 && frame.readInt32BE(at.at + 2) !== 0) {
      this.#evictions--;
      this.changed++;
      frame.writeInt16BE(SESSION_NOT_FOUND, at.at);
      return;
    }
    at.skip(6);
    for (let topics = at.int32(); topics > 0; topics--) {
      const error = this.errorOf(at.text());
      for (let partitions = at.int32(); partitions > 0; partitions--) {
        at.skip(4);
        if (error !== 0) {
          frame.writeInt16BE(error, at.at);
          this.changed++;
        }
        // The error, three offsets, the aborted transactions, the preferred replica, the records.
        at.skip(2 + 3 * 8);
        at.skip(Math.max(0, at.int32()) * 16);
        at.skip(4);
        at.skip(Math.max(0, at.int32()));
      }
    }
  }
}

/** Calls back with each whole frame, its length included. */
function eachFrame(socket: Socket, take: (frame: Buffer) => void): void {
  let pending: Buffer = Buffer.alloc(0);
  socket.on('data', (chunk: Buffer) => {
    pending = pending.length === 0 ? chunk : Buffer.concat([pending, chunk]);
    for (;;) {
      if (pending.length < LENGTH_BYTES) return;
      const end = LENGTH_BYTES + pending.readInt32BE(0);
      if (pending.length < end) return;
      take(pending.subarray(0, end));
      pending = pending.subarray(end);
    }
  });
}

/** Header version 1: key, version, correlation id, client id. Only a coordinator's request is read further. */
function requestIn(frame: Buffer): Asked {
  const at = new Cursor(frame, LENGTH_BYTES);
  const [key, version] = [at.int16(), at.int16()];
  at.skip(4);
  at.text();
  const isCoordinator = key === FIND_COORDINATOR && version === FIND_COORDINATOR_VERSION;
  return { key, version, group: isCoordinator ? at.text() : '' };
}

class Cursor {
  readonly #bytes: Buffer;
  at: number;

  constructor(bytes: Buffer, at: number) {
    this.#bytes = bytes;
    this.at = at;
  }

  skip(bytes: number): void {
    this.at += bytes;
  }

  int16(): number {
    this.at += 2;
    return this.#bytes.readInt16BE(this.at - 2);
  }

  int32(): number {
    this.at += 4;
    return this.#bytes.readInt32BE(this.at - 4);
  }

  uvarint(): number {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = this.#bytes.readUInt8(this.at++);
      value += (byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
  }

  /** Empty for null. */
  compactText(): string {
    const length = Math.max(0, this.uvarint() - 1);
    this.at += length;
    return this.#bytes.toString('utf8', this.at - length, this.at);
  }

  /** Passes over them. */
  tags(): void {
    for (let count = this.uvarint(); count > 0; count--) {
      this.uvarint();
      this.skip(this.uvarint());
    }
  }

  /** Empty for null. */
  text(): string {
    const length = Math.max(0, this.int16());
    this.at += length;
    return this.#bytes.toString('utf8', this.at - length, this.at);
  }
}
