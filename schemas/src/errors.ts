/** The errors that this package throws. All other failures are values. */

/** The bytes of one event cannot be read with the schema that they name. Only that event is at fault. */
export class MalformedEventError extends Error {
  readonly code = 'DB_EVENT_MALFORMED';
  override readonly name = 'MalformedEventError';
}

/** A writer's schema cannot be resolved to the pinned reader schema: every event written with it is unreadable. */
export class IncompatibleSchemaError extends Error {
  readonly code = 'DB_SCHEMA_INCOMPATIBLE';
  override readonly name = 'IncompatibleSchemaError';
}

/** The line that lists the event types is wrong, or a schema file is. All mistakes are reported at once. */
export class EventTypesError extends Error {
  readonly code = 'DB_EVENT_TYPES_INVALID';
  override readonly name = 'EventTypesError';
  readonly mistakes: readonly string[];

  constructor(mistakes: readonly string[]) {
    super(mistakes.join('\n'));
    this.mistakes = mistakes;
  }
}
