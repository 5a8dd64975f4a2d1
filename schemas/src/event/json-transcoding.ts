/**
 * Converts the bytes that a producer wrote to the JSON document that customers receive, without values in between: an
 * event is mostly text, and text is UTF-8 in both.
 */
import type { AvroInput } from './avro/avro-input.ts';
import { type Resolve, writtenAs } from './avro/avro-resolution.ts';
import { type AvroType, nullable, type RecordType, type UnionType } from './avro/avro-schema.ts';
import type { JsonOutput } from './json-output.ts';
import { JsonRenderers } from './json-rendering.ts';

/** Reads one value and writes it as JSON. */
export type Transcode = (input: AvroInput, output: JsonOutput) => void;

const OPEN = Buffer.from('{');
const CLOSE = '}'.charCodeAt(0);
const COMMA = Buffer.from(',');
const NULL = Buffer.from('null');
const TRUE = Buffer.from('true');
const FALSE = Buffer.from('false');

/**
 * Writes the same bytes as `jsonRenderer` (json-rendering.ts) would for the decoded event. Records whose fields have
 * the same order in both schemas, their nullable fields and the usual primitives are transcoded; anything else is
 * decoded and rendered, value by value.
 * @param resolve resolves writers' types to readers', within a limit of the total cost
 * @param leftOut the root's fields that the document omits; their data are checked nevertheless
 */
export function transcoder(
  writer: AvroType,
  reader: RecordType,
  resolve: Resolve,
  leftOut: ReadonlySet<string> = new Set(),
): Transcode {
  return new Transcoding(resolve).root(writer, reader, leftOut);
}

class Transcoding {
  readonly #resolve: Resolve;
  readonly #renderers = new JsonRenderers();
  /** The readers of records inside the root, which may refer back to themselves. */
  readonly #known = new Map<RecordType, Map<RecordType, { run: Transcode }>>();

  constructor(resolve: Resolve) {
    this.#resolve = resolve;
  }

  root(writer: AvroType, reader: RecordType, leftOut: ReadonlySet<string>): Transcode {
    const transcode = writer.kind === 'record' ? this.#record(writer, reader, leftOut) : undefined;
    if (transcode !== undefined) return transcode;
    const read = this.#resolve(writer, reader, 'all');
    const render = this.#renderers.record(reader, true, leftOut);
    return (input, output) => output.text(render(read(input)));
  }

  #value(writer: AvroType, reader: AvroType): Transcode {
    if (!('logical' in reader && reader.logical !== undefined)) {
      const transcode = this.#transcoded(writer, reader);
      if (transcode !== undefined) return transcode;
    }
    const read = this.#resolve(writer, reader, 'all');
    const render = this.#renderers.value(reader);
    return (input, output) => output.text(render(read(input)));
  }

  #transcoded(writer: AvroType, reader: AvroType): Transcode | undefined {
    if (writer.kind === 'union') return this.#nullable(writer, reader);
    const optional = nullable(reader);
    if (optional !== undefined && writer.kind === optional.kind) return this.#value(writer, optional);
    if (writer.kind !== reader.kind) return undefined;
    switch (writer.kind) {
      case 'record':
        return this.#inner(writer, reader as RecordType);
      case 'string':
        return (input, output) => input.text(output);
      case 'boolean':
        return (input, output) => output.raw(input.boolean() ? TRUE : FALSE);
      case 'int':
        return (input, output) => output.text(String(input.int()));
      case 'long':
        return (input, output) => output.text(String(input.long()));
      default:
        return undefined;
    }
  }

  /** Null or one other type, in both schemas. */
  #nullable(writer: UnionType, reader: AvroType): Transcode | undefined {
    const branches = nullableBranches(writer, reader);
    if (branches === undefined) return undefined;
    const transcode = this.#value(branches.written, branches.optional);
    const { nullAt } = branches;
    return (input, output) => {
      if (input.branch(2) === nullAt) output.raw(NULL);
      else transcode(input, output);
    };
  }

  /** A field of a record, with its name and a comma. */
  #member(prefix: Uint8Array, writer: AvroType, reader: AvroType, isAbsentWhenNull: boolean): Transcode | undefined {
    const branches = isAbsentWhenNull && writer.kind === 'union' ? nullableBranches(writer, reader) : undefined;
    // A writer without null in the type never makes it absent; a field that might be absent is not transcoded.
    if (isAbsentWhenNull && branches === undefined && writer.kind !== nullable(reader)?.kind) return undefined;
    const transcode = branches ? this.#value(branches.written, branches.optional) : this.#value(writer, reader);
    const member: Transcode = (input, output) => {
      output.raw(prefix);
      transcode(input, output);
      output.raw(COMMA);
    };
    if (branches === undefined) return member;
    const { nullAt } = branches;
    return (input, output) => {
      if (input.branch(2) !== nullAt) member(input, output);
    };
  }

  #skipped(writer: AvroType, reader: AvroType): Transcode {
    return this.#resolve(writer, reader, 'none');
  }

  #inner(writer: RecordType, reader: RecordType): Transcode | undefined {
    const byReader = this.#known.get(writer) ?? new Map<RecordType, { run: Transcode }>();
    this.#known.set(writer, byReader);
    const known = byReader.get(reader);
    if (known !== undefined) return (input, output) => known.run(input, output);
    const entry = { run: ((): void => undefined) as Transcode };
    byReader.set(reader, entry);
    const transcode = this.#record(writer, reader);
    if (transcode === undefined) {
      const read = this.#resolve(writer, reader, 'all');
      const render = this.#renderers.value(reader);
      entry.run = (input, output) => output.text(render(read(input)));
    } else {
      entry.run = transcode;
    }
    return entry.run;
  }

  /**
   * @param leftOut set for the root only.
   * @returns undefined if the order of the fields differs, or there are defaults
   */
  #record(writer: RecordType, reader: RecordType, leftOut?: ReadonlySet<string>): Transcode | undefined {
    // Refuses types that do not match, whatever the result here is.
    this.#resolve(writer, reader, 'none');
    const sources = reader.fields.map((field) => writtenAs(field, writer));
    const places = sources.map((source) => (source === undefined ? -1 : writer.fields.indexOf(source)));
    const isInOrder = places.every((place, at) => place >= 0 && (at === 0 || place > (places[at - 1] as number)));
    if (!isInOrder) return undefined;
    const isRoot = leftOut !== undefined;

    const steps = writer.fields.map(({ type }, place): Transcode | undefined => {
      const field = reader.fields[places.indexOf(place)];
      if (field === undefined) return this.#skipped(type, type);
      if (leftOut?.has(field.name)) return this.#skipped(type, field.type);
      const prefix = Buffer.from(`${JSON.stringify(field.name)}:`);
      const optional = nullable(field.type);
      if (isRoot && field.constant !== undefined && optional === undefined) {
        const constant = Buffer.from(`${prefix}${JSON.stringify(field.constant)},`);
        const skip = this.#skipped(type, field.type);
        return (input, output) => {
          skip(input, output);
          output.raw(constant);
        };
      }
      // A constant that may be absent: no schema has one.
      if (isRoot && field.constant !== undefined) return undefined;
      return this.#member(prefix, type, field.type, optional !== undefined && (isRoot || optional.kind === 'record'));
    });
    if (!steps.every((step) => step !== undefined)) return undefined;
    const values = Math.max(writer.fields.length, reader.fields.length);
    return (input, output) => {
      input.enter(values);
      output.raw(OPEN);
      for (const step of steps) step(input, output);
      output.close(CLOSE);
      input.leave();
    };
  }
}

/** Returns the branches if both types are unions of null and one type of the same kind. */
function nullableBranches(writer: UnionType, reader: AvroType) {
  const optional = nullable(reader);
  const written = nullable(writer);
  if (optional === undefined || written === undefined || optional.kind !== written.kind) return undefined;
  return { written, optional, nullAt: writer.branches.findIndex(({ kind }) => kind === 'null') };
}
