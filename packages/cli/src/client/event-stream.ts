/** One event of a `text/event-stream`. */
export interface StreamEvent {
  readonly id: string;
  readonly event: string;
  readonly data: string;
}

/** Reads events as they arrive (the format of the HTML standard). Ends when the body ends; what is not complete by then is dropped. */
export async function* readEvents(body: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): AsyncGenerator<StreamEvent> {
  const decoder = new TextDecoder();
  let rest = "";
  let pending = empty();
  let id = "";
  for await (const chunk of body) {
    rest += decoder.decode(chunk, { stream: true });
    // A lone CR at the end may be half of CR LF.
    const lines = rest.split(/\r\n|\n|\r(?!$)/);
    rest = lines.pop()!;
    for (const line of lines) {
      if (line !== "") {
        const field = fieldOf(line);
        if (field.name === "id") id = field.value;
        else if (field.name === "event") pending.event = field.value;
        else if (field.name === "data") pending.data.push(field.value);
        continue;
      }
      if (pending.data.length > 0) yield { id, event: pending.event, data: pending.data.join("\n") };
      pending = empty();
    }
  }
}

function empty(): { event: string; data: string[] } {
  return { event: "message", data: [] };
}

function fieldOf(line: string): { readonly name: string; readonly value: string } {
  const colon = line.indexOf(":");
  if (colon < 0) return { name: line, value: "" };
  return { name: line.slice(0, colon), value: line.slice(colon + 1).replace(/^ /, "") };
}
