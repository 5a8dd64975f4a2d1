/** What this package throws. The rest of it returns values. */

/** The bytes of one event can't be read with the schema that they name. That event is at fault, and no other. */
export class MalformedEventError extends Error {
  readonly code = 'DB_EVENT_MALFORMED';
  override readonly name = 'MalformedEventError';
}

/** A writer's schema can't be resolved to the pinned reader schema: every event written with it is unreadable. */
export class IncompatibleSchemaError extends Error {
  readonly code = 'DB_SCHEMA_INCOMPATIBLE';
  override readonly name = 'IncompatibleSchemaError';
}

/** The line that says which event types there are is wrong, or a schema file is. All mistakes at once. */
export class EventTypesError extends Error {
  readonly code = 'DB_EVENT_TYPES_INVALID';
  override readonly name = 'EventTypesError';
  readonly mistakes: readonly string[];

  constructor(mistakes: readonly string[]) {
    super(mistakes.join('\n'));
    this.mistakes = mistakes;
  }
}
