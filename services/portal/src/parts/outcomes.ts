/** The outcomes of attempts, each with a label and a shape. */
export const OUTCOMES = {
  delivered: { word: 'Delivered', shape: '●', tone: 'good', meaning: 'the destination accepted the event' },
  retry: { word: 'Failed, tried again', shape: '▲', tone: 'warning', meaning: '5xx, 408, 409, 425, 429 or no answer' },
  refused: { word: 'Refused', shape: '■', tone: 'bad', meaning: 'the destination does not take this event' },
  deauthorized: { word: 'Not authorized', shape: '◆', tone: 'bad', meaning: 'the destination does not know us' },
  blocked: { word: 'Blocked', shape: '◆', tone: 'bad', meaning: 'nothing may be sent to that address' },
  gone: { word: 'Gone', shape: '◆', tone: 'bad', meaning: 'the destination answered 410' },
  internal: { word: 'Our own fault', shape: '✕', tone: 'bad', meaning: 'Databridge could not make the request' },
  skipped: { word: 'Skipped', shape: '○', tone: 'idle', meaning: 'an operator moved the customer past it' },
} as const;

export type OutcomeName = keyof typeof OUTCOMES;

export const EVENT_STATE_WORDS = {
  delivered: { word: 'Delivered', shape: '●', tone: 'good' },
  retrying: { word: 'Retrying', shape: '▲', tone: 'warning' },
  held: { word: 'Held', shape: '◆', tone: 'bad' },
  dead: { word: 'Dead letter', shape: '■', tone: 'bad' },
  skipped: { word: 'Skipped', shape: '○', tone: 'idle' },
} as const;

export const DEAD_REASONS = ['refused', 'exhausted', 'internal'] as const;

export type EventStateName = keyof typeof EVENT_STATE_WORDS;

/** The points to which a replay can go back. */
export const REPLAY_BY = ['time', 'offset', 'earliest'] as const;

export type ReplayBy = (typeof REPLAY_BY)[number];
