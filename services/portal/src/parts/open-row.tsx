import { useNavigate, useSearch } from '@tanstack/react-router';
import type { ReactNode } from 'react';

/** The details of a row. The address records which row is open. */
export function OpenRow({ id, children }: { readonly id: string; readonly children: ReactNode }) {
  const { open } = useSearch({ strict: false });
  const navigate = useNavigate();
  const isOpen = open === id;
  const toggled = (isNowOpen: boolean) => {
    // It also tells what the address has just made of it.
    if (isNowOpen === isOpen) return;
    void navigate({ to: '.', search: (old) => ({ ...old, open: isNowOpen ? id : undefined }), replace: true });
  };
  return (
    <details open={isOpen} onToggle={({ currentTarget }) => toggled(currentTarget.open)}>
      <summary>Show</summary>
      {isOpen && children}
    </details>
  );
}
