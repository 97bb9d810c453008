// Reads the text of an event stream (WHATWG HTML, "server-sent events"), handed over in pieces of any size.
// `EventSource` is not used because it cannot start from a cursor and does not tell why it was refused.

/** `onEvent({id, event, data})` gets each event whole, with `data` still text; `id` is the last one seen. */
export function createSseReader(onEvent) {
  let rest = "";
  let id = null;
  let event = "";
  let data = [];

  const finish = () => {
    // Unlike a browser's, an event without data counts if it has a name: `resync` needs no more.
    if (event || data.length > 0) onEvent({ id, event: event || "message", data: data.join("\n") });
    event = "";
    data = [];
  };

  const read = (line) => {
    if (line === "") return finish();
    const colon = line.indexOf(":");
    if (colon === 0) return undefined;
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (field === "event") event = value;
    else if (field === "data") data.push(value);
    else if (field === "id" && !value.includes("\0")) id = value;
    return undefined;
  };

  return (text) => {
    rest += text;
    // A lone carriage return at the end may be the first half of a line end, so it waits for what follows.
    const lines = rest.split(/\r\n|\n|\r(?!$)/);
    rest = lines.pop();
    lines.forEach(read);
  };
}
