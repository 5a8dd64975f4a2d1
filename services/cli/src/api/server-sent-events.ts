/** Server-sent events, as WHATWG describes them, of a stream of bytes. */
export interface ServerSentEvent {
  readonly id?: string;
  readonly event: string;
  readonly data: string;
}

export async function* serverSentEvents(stream: AsyncIterable<Uint8Array>): AsyncGenerator<ServerSentEvent> {
  const decoder = new TextDecoder();
  let left = '';
  let fields: Record<string, string> = {};
  let data: string[] = [];
  for await (const chunk of stream) {
    left += decoder.decode(chunk, { stream: true });
    const lines = left.split(/\r\n|\r(?!$)|\n/);
    left = lines.pop() ?? '';
    for (const line of lines) {
      if (line === '') {
        const { id, event = 'message' } = fields;
        if (data.length > 0) yield { ...(id !== undefined && { id }), event, data: data.join('\n') };
        fields = {};
        data = [];
        continue;
      }
      // A line that begins with a colon is a comment: it keeps the connection alive.
      const [, name = '', value = ''] = /^([^:]*)(?:: ?(.*))?$/s.exec(line) ?? [];
      if (name === 'data') data.push(value);
      else if (name !== '') fields[name] = value;
    }
  }
}
