import { systemClock, type Timer } from '@databridge/kernel/time/clock';
import { Client, type Dispatcher, errors, Pool } from 'undici';

/**
 * A pool whose connections take no new request after a time; requests in flight end on them.
 *
 * undici's own limit (`clientTtl`) reads the clock for each connection at each request, which with 64 connections took
 * 8 % of a worker's processor time. Here each connection has a timer. The pool retires a client that reports
 * `connectionError`: that is the only public way to make it do so.
 * @param maxAgeMs from the moment that a connection is open; if undefined, connections have no age limit
 */
export function agingPool(origin: string | URL, options: Pool.Options, maxAgeMs: number | undefined): Pool {
  if (maxAgeMs === undefined) return new Pool(origin, options);
  const { factory = openClient } = options;
  const pool = new Pool(origin, {
    ...options,
    factory: (url: URL, given: object) => {
      const client = factory(url, given);
      let timer: Timer | undefined;
      const retire = () =>
        pool.emit('connectionError', url, [client], new errors.InformationalError('connection is too old'));
      client.on('connect', () => {
        timer?.cancel();
        timer = systemClock.after(maxAgeMs, retire, { isBackground: true });
      });
      client.on('disconnect', () => timer?.cancel());
      return client;
    },
  });
  return pool;
}

const openClient = (origin: URL, options: object): Dispatcher => new Client(origin, options);
