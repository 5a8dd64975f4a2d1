/** Shows times in one zone at a time, with how long ago they were. */
import { createContext, type ReactNode, useCallback, useContext, useEffect, useState } from 'react';
import { absoluteTime, relativeTime } from './words.ts';

const STORED = 'databridge.zone';
const OWN = Intl.DateTimeFormat().resolvedOptions().timeZone;

interface Zone {
  readonly name: string;
  choose(name: string): void;
}

const ZoneContext = createContext<Zone>({ name: OWN, choose: () => undefined });

export const zones = () => [...new Set([OWN, 'UTC', ...Intl.supportedValuesOf('timeZone')])];

export function ZoneProvider({ children }: { readonly children: ReactNode }) {
  const [name, setName] = useState(() => known(localStorage.getItem(STORED)));
  const choose = useCallback((chosen: string) => {
    localStorage.setItem(STORED, chosen);
    setName(chosen);
  }, []);
  return <ZoneContext value={{ name, choose }}>{children}</ZoneContext>;
}

const known = (name: string | null) => (name !== null && zones().includes(name) ? name : OWN);

export const useZone = () => useContext(ZoneContext);

/** Returns the current time, renewed at least this often. */
export function useNow(everyMs = 5_000): number {
  const [nowMs, setNow] = useState(() => Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), everyMs);
    return () => clearInterval(timer);
  }, [everyMs]);
  return nowMs;
}

/** Shows date, time and how long ago, in the chosen zone. */
export function Time({ ms, isShort = false }: { readonly ms: number; readonly isShort?: boolean }) {
  const { name } = useZone();
  const nowMs = useNow();
  const absolute = absoluteTime(ms, name, nowMs);
  const date = new Date(ms).toISOString();
  return (
    <time dateTime={date} title={`${absoluteTime(ms, name, undefined)} ${name}`}>
      {isShort ? relativeTime(ms, nowMs) : `${absolute} (${relativeTime(ms, nowMs)})`}
    </time>
  );
}
