import { useCallback, useEffect, useState } from 'react';

/** Counts new attempts while a page is open: rows that move while they are read would be unreadable. */
export function useLiveCount(customer: string): { readonly count: number; reset(): void } {
  const [count, setCount] = useState(0);
  useEffect(() => {
    setCount(0);
    const stream = new EventSource(`/v1/subscriptions/${encodeURIComponent(customer)}/attempts/live`);
    // It comes back by itself, and names the last that it had. What can't be sent again is new all the same.
    stream.addEventListener('gap', () => setCount((before) => before + 1));
    stream.addEventListener('attempt', () => setCount((before) => before + 1));
    return () => stream.close();
  }, [customer]);
  return { count, reset: useCallback(() => setCount(0), []) };
}
