/** The states of invitations in words and shapes. */
export const INVITATION_STATES = {
  open: { word: 'Open', shape: '◐', tone: 'busy' },
  used: { word: 'Answered', shape: '●', tone: 'good' },
  locked: { word: 'Locked', shape: '■', tone: 'bad' },
  revoked: { word: 'Revoked', shape: '○', tone: 'idle' },
  expired: { word: 'Expired', shape: '○', tone: 'idle' },
} as const;

export type InvitationState = keyof typeof INVITATION_STATES;
