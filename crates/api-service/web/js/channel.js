// One conversation's events, pushed: by WebSocket, or by an event stream where WebSockets do not get through.
// Remembers the cursor, so a reconnect goes on where the last connection ended. What the events mean is not
// its business.

import { backoff } from "./backoff.js";
import { createSseReader } from "./sse.js";

/** A connection that ends sooner, having said nothing, did not work. */
const USEFUL = 5_000;
/** How often a transport may fail in a row before the other one is tried. */
const PATIENCE = 2;
/** How long opening may take. */
const OPENING = 8_000;
/** How long an event stream may be silent; it says something every 15 s. */
const SILENCE = 40_000;
/** How soon to try again when neither transport works. Polling covers the time. */
const RETRY_BOTH = 20_000;
/** What an error that a socket brings means, as an HTTP status. */
const REFUSALS = { unauthenticated: 401, not_found: 404 };

/** The browser's own means; tests hand in others. */
const browser = {
  connect: (url) => new WebSocket(url),
  fetch: (...args) => fetch(...args),
  setTimeout: (...args) => setTimeout(...args),
  clearTimeout: (timer) => clearTimeout(timer),
  now: () => Date.now(),
  random: Math.random,
};

/**
 * Opens the channel. `on.event({event, data})` gets each event; `on.resync()` is called when the cursor is too
 * old, and closes the channel: load anew and open another; `on.transport(name)` tells what is connected
 * (`websocket`, `sse` or null); `on.refused(status)` that trying again is useless.
 */
export function openChannel({ conversationId, cursor, on, io = browser }) {
  let transport = "websocket";
  const failures = { websocket: 0, sse: 0 };
  let attempt = 0;
  let closed = false;
  let timer = null;
  let connection = null;
  /** Which call of `connect` is in charge; what an earlier one still says is not heard. */
  let turn = 0;

  function connect() {
    timer = null;
    turn += 1;
    const mine = turn;
    const live = () => !closed && turn === mine;
    const started = io.now();
    let heard = false;
    const open = transport === "websocket" ? openSocket : openStream;
    connection = open({
      opened: () => live() && on.transport(transport),
      frame({ id, event, data }) {
        if (!live()) return;
        heard = true;
        attempt = 0;
        failures[transport] = 0;
        if (known(id)) cursor = id;
        if (event !== "resync") return void on.event({ event, data });
        close();
        on.resync();
      },
      ended(status) {
        if (!live()) return;
        turn += 1;
        on.transport(null);
        if (status === 401 || status === 403 || status === 404) {
          close();
          return void on.refused(status);
        }
        if (heard || io.now() - started >= USEFUL) attempt = 0;
        else failures[transport] += 1;
        timer = io.setTimeout(connect, nextDelay());
      },
    });
  }

  function nextDelay() {
    if (failures[transport] < PATIENCE) return backoff(attempt++, io.random);
    failures[transport] = 0;
    const both = transport === "sse";
    transport = both ? "websocket" : "sse";
    return both ? RETRY_BOTH * (0.75 + io.random() / 2) : 0;
  }

  function openSocket({ opened, frame, ended }) {
    const url = new URL("/api/ws", location.href);
    url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
    const socket = io.connect(url.href);
    let done = false;
    const finish = (status) => {
      if (done) return;
      done = true;
      io.clearTimeout(hurry);
      socket.close();
      ended(status);
    };
    const hurry = io.setTimeout(() => finish(null), OPENING);
    socket.onopen = () => {
      io.clearTimeout(hurry);
      socket.send(
        JSON.stringify({ subscribe: conversationId, ...(known(cursor) && { after: String(cursor) }) }),
      );
      opened();
    };
    socket.onmessage = ({ data }) => {
      const message = parse(data);
      if (message?.error) return void finish(REFUSALS[message.error.code] ?? null);
      if (message && !done) frame(message);
    };
    socket.onclose = () => finish(null);
    return {
      close() {
        done = true;
        io.clearTimeout(hurry);
        socket.close();
      },
    };
  }

  function openStream({ opened, frame, ended }) {
    const abort = new AbortController();
    let done = false;
    let watch = null;
    const finish = (status) => {
      if (done) return;
      done = true;
      io.clearTimeout(watch);
      abort.abort();
      ended(status);
    };
    const expectWithin = (time) => {
      io.clearTimeout(watch);
      watch = io.setTimeout(() => finish(null), time);
    };
    const read = createSseReader(({ id, event, data }) =>
      frame({ id, event, data: data ? parse(data) : null }),
    );

    async function run() {
      const headers = {
        accept: "text/event-stream",
        ...(known(cursor) && { "last-event-id": String(cursor) }),
      };
      const response = await io.fetch(`/api/conversations/${conversationId}/events`, {
        headers,
        cache: "no-store",
        signal: abort.signal,
      });
      if (!response.ok) return void finish(response.status);
      opened();
      const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
      for (;;) {
        expectWithin(SILENCE);
        const { done: over, value } = await reader.read();
        if (over || done) return void finish(null);
        read(value);
      }
    }

    expectWithin(OPENING);
    run().catch(() => finish(null));
    return {
      close() {
        done = true;
        io.clearTimeout(watch);
        abort.abort();
      },
    };
  }

  function drop() {
    io.clearTimeout(timer);
    timer = null;
    turn += 1;
    connection?.close();
  }

  function close() {
    closed = true;
    drop();
  }

  connect();
  return {
    close,
    /** Connects anew from the cursor: the network is back, or the connection is suspected to be dead. */
    kick() {
      if (closed) return;
      drop();
      on.transport(null);
      attempt = 0;
      connect();
    },
  };
}

/** A cursor is whatever the server says it is; a zero is one too. */
const known = (cursor) => cursor !== null && cursor !== undefined && cursor !== "";

function parse(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
