// The second choice: an event stream for each conversation, read by `fetch`. `EventSource` is not used: it cannot send
// a bearer token, cannot start from a cursor, and does not tell why it was refused.

import type { Clock, Timer } from "./environment.js";
import { parse, type Link, type LinkEvents, type Transport, type Wanted } from "./link.js";

/** How long opening may take, in milliseconds. */
const OPENING = 8_000;
/** A browser allows six connections to a host over HTTP/1.1; some have to be left for everything else. */
const STREAMS = 3;

export interface SseEvent {
  id: string | null;
  event: string | null;
  data: string | null;
}

/**
 * Reads the text of an event stream (WHATWG HTML, "server-sent events"), handed over in pieces of any size. Each block
 * is told, also one that only moves the cursor; `id` is the last one seen.
 */
export function createSseReader(tell: (event: SseEvent) => void): (text: string) => void {
  let rest = "";
  let id: string | null = null;
  let event: string | null = null;
  let data: string[] = [];
  let begun = false;

  function finish() {
    if (begun) tell({ id, event: event ?? (data.length > 0 ? "message" : null), data: data.join("\n") || null });
    begun = false;
    event = null;
    data = [];
  }

  function read(line: string) {
    if (line === "") return finish();
    const colon = line.indexOf(":");
    if (colon === 0) return;
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (field === "event") event = value || null;
    else if (field === "data") data.push(value);
    else if (field === "id" && !value.includes("\0")) id = value || null;
    else return;
    begun = true;
  }

  return (text) => {
    rest += text;
    // A lone carriage return at the end may be the first half of a line end, so it waits for what follows.
    const lines = rest.split(/\r\n|\n|\r(?!$)/);
    rest = lines.pop() ?? "";
    lines.forEach(read);
  };
}

export interface SseOptions {
  /** Asks for the events of a conversation after a cursor, with whatever says who is asking. */
  request: (wanted: Wanted, signal: AbortSignal) => Promise<Response>;
  clock: Clock;
}

export function sseTransport({ request, clock }: SseOptions): Transport {
  return { name: "sse", beats: true, open: openStreams };

  function openStreams(first: Wanted[], events: LinkEvents): Link {
    const streams = new Map<string, AbortController>();
    let opened = false;
    let over = false;

    function leave() {
      over = true;
      for (const stream of streams.values()) stream.abort();
      streams.clear();
    }

    // One stream that ends ends the link: whatever cut it cut the others too or soon will, and starting all of them
    // again costs no event.
    function finish(status: number | null) {
      if (over) return;
      leave();
      events.ended(status);
    }

    function subscribe(wanted: Wanted) {
      const { conversationId } = wanted;
      streams.get(conversationId)?.abort();
      streams.delete(conversationId);
      if (streams.size >= STREAMS) return events.crowded(conversationId);
      const stream = new AbortController();
      streams.set(conversationId, stream);
      const mine = () => !over && streams.get(conversationId) === stream;
      const hurry: Timer = clock.setTimeout(() => mine() && finish(null), OPENING);
      read(wanted, stream.signal, mine, hurry).then(
        (status) => {
          clock.clearTimeout(hurry);
          if (!mine()) return;
          if (status !== 404) return finish(status);
          streams.delete(conversationId);
          events.gone(conversationId);
        },
        () => {
          clock.clearTimeout(hurry);
          if (mine()) finish(null);
        },
      );
    }

    /** Reads to the end; an HTTP status says why there was nothing to read. */
    async function read(wanted: Wanted, signal: AbortSignal, mine: () => boolean, hurry: Timer) {
      const response = await request(wanted, signal);
      if (!mine()) return null;
      // A proxy's own page is no stream either.
      const streams = response.headers.get("content-type")?.startsWith("text/event-stream") === true;
      if (!response.ok || !streams || !response.body) {
        void response.body?.cancel().catch(() => {});
        return response.ok ? null : response.status;
      }
      clock.clearTimeout(hurry);
      if (!opened) {
        opened = true;
        events.opened();
      }
      const take = createSseReader(({ id, event, data }) => {
        if (!mine()) return;
        const { conversationId } = wanted;
        events.frame({ conversationId, id, event, data: data === null ? null : parse(data) });
      });
      const reader = response.body.getReader();
      const decoder = new TextDecoder();
      for (;;) {
        const { done, value } = await reader.read();
        if (done || !mine()) return null;
        events.alive();
        take(decoder.decode(value, { stream: true }));
      }
    }

    const link: Link = {
      subscribe: (wanted) => !over && subscribe(wanted),
      unsubscribe(conversationId) {
        streams.get(conversationId)?.abort();
        streams.delete(conversationId);
      },
      close: leave,
    };
    for (const wanted of first) subscribe(wanted);
    return link;
  }
}
