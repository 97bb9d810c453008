import assert from "node:assert/strict";
import { test } from "node:test";

import { openChannel } from "../js/channel.js";

globalThis.location = new URL("https://reelay.test/");

/** A network and a clock that do only what the test says. */
function world({ cursor = "5", fetch = () => new Promise(() => {}) } = {}) {
  const sockets = [];
  const timers = new Map();
  const seen = { events: [], transports: [], resyncs: 0, refused: [], fetches: [] };
  let now = 0;
  let count = 0;
  const io = {
    connect(url) {
      const socket = { url, sent: [], closed: false, send: (text) => socket.sent.push(JSON.parse(text)) };
      socket.close = () => {
        socket.closed = true;
      };
      sockets.push(socket);
      return socket;
    },
    fetch(path, options) {
      seen.fetches.push({ path, headers: options.headers });
      return fetch();
    },
    setTimeout(run, delay) {
      timers.set((count += 1), { run, due: now + delay });
      return count;
    },
    clearTimeout: (id) => timers.delete(id),
    now: () => now,
    random: () => 1,
  };
  const on = {
    event: (event) => seen.events.push(event),
    resync: () => (seen.resyncs += 1),
    transport: (name) => seen.transports.push(name),
    refused: (status) => seen.refused.push(status),
  };
  /** Lets time pass, and runs what comes due. */
  const pass = (time) => {
    now += time;
    for (const [id, timer] of [...timers]) {
      if (timer.due > now) continue;
      timers.delete(id);
      timer.run();
    }
  };
  const channel = openChannel({ conversationId: "conv_1", cursor, on, io });
  return { channel, sockets, seen, pass, timers, last: () => sockets.at(-1) };
}

const frame = (id, event = "message.created", data = {}) => ({ data: JSON.stringify({ id, event, data }) });

test("subscribes after the cursor it was given, over TLS where the page is", () => {
  const { last, seen } = world();
  last().onopen();
  assert.equal(last().url, "wss://reelay.test/api/ws");
  assert.deepEqual(last().sent, [{ subscribe: "conv_1", after: "5" }]);
  assert.deepEqual(seen.transports, ["websocket"]);
});

test("a cursor of zero is a cursor, and without one the socket starts from now", () => {
  for (const [cursor, wanted] of [
    [0, { subscribe: "conv_1", after: "0" }],
    [null, { subscribe: "conv_1" }],
  ]) {
    const { last } = world({ cursor });
    last().onopen();
    assert.deepEqual(last().sent, [wanted]);
  }
});

test("goes on after the last event when the connection is lost", () => {
  const { last, seen, pass, sockets } = world();
  last().onopen();
  last().onmessage(frame("6"));
  last().onmessage({ data: "no json" });
  last().onclose();
  assert.deepEqual(seen.transports, ["websocket", null]);
  pass(499);
  assert.equal(sockets.length, 1);
  pass(1);
  last().onopen();
  assert.deepEqual(last().sent, [{ subscribe: "conv_1", after: "6" }]);
  assert.equal(seen.events.length, 1);
});

test("waits longer after each failure that follows a working connection", () => {
  const { last, pass, sockets } = world();
  last().onopen();
  last().onmessage(frame("6"));
  last().onclose();
  pass(500);
  last().onclose();
  pass(999);
  assert.equal(sockets.length, 2);
  pass(1);
  assert.equal(sockets.length, 3);
});

test("falls back to an event stream when sockets do not get through, from the same cursor", () => {
  const { last, pass, seen } = world();
  last().onclose();
  pass(500);
  last().onclose();
  pass(0);
  assert.deepEqual(seen.fetches, [
    {
      path: "/api/conversations/conv_1/events",
      headers: { accept: "text/event-stream", "last-event-id": "5" },
    },
  ]);
});

test("a socket that never opens is given up", () => {
  const { last, pass, seen, sockets } = world();
  pass(8_000);
  assert.equal(sockets[0].closed, true);
  assert.deepEqual(seen.transports, [null]);
  pass(500);
  assert.equal(sockets.length, 2);
  assert.notEqual(last(), sockets[0]);
});

test("hears an event stream, and goes back to sockets when neither works", async () => {
  let answer = () => new Response('id: 6\nevent: message.created\ndata: {"n":1}\n\n');
  const { last, pass, seen, sockets } = world({ fetch: async () => answer() });
  last().onclose();
  pass(500);
  last().onclose();
  pass(0);
  await until(() => seen.transports.at(-1) === null && seen.events.length === 1);
  assert.deepEqual(seen.events, [{ event: "message.created", data: { n: 1 } }]);
  answer = () => new Response("", { status: 503 });
  for (const fetches of [2, 3]) {
    pass(1_000);
    await until(() => seen.fetches.length === fetches && seen.transports.length === 4 + fetches - 1);
    assert.equal(seen.fetches.at(-1).headers["last-event-id"], "6");
  }
  assert.equal(sockets.length, 2);
  pass(25_000);
  assert.equal(sockets.length, 3);
});

test("what is forbidden or gone is not asked for again", async () => {
  const { last, pass, seen, timers } = world({ fetch: async () => new Response("", { status: 404 }) });
  last().onclose();
  pass(500);
  last().onclose();
  pass(0);
  await until(() => seen.refused.length === 1);
  assert.deepEqual(seen.refused, [404]);
  assert.equal(timers.size, 0);
});

test("an error that a socket brings says whether trying again is useless", () => {
  for (const [code, refused] of [
    ["unauthenticated", [401]],
    ["not_found", [404]],
    ["unavailable", []],
  ]) {
    const { last, seen, timers } = world();
    last().onopen();
    last().onmessage({ data: JSON.stringify({ error: { code, detail: "…" } }) });
    last().onclose({ code: 1008 });
    assert.deepEqual([seen.refused, seen.events, seen.transports.at(-1)], [refused, [], null]);
    assert.equal(timers.size, refused.length === 0 ? 1 : 0);
  }
});

test("a resync closes the channel and is told once", () => {
  const { last, seen, timers } = world();
  last().onopen();
  last().onmessage(frame(null, "resync", null));
  last().onmessage(frame("9"));
  assert.deepEqual([seen.resyncs, seen.events.length, timers.size, last().closed], [1, 0, 0, true]);
});

test("a kick connects anew at once, and the old connection is not heard any more", () => {
  const { channel, last, seen, sockets } = world();
  last().onopen();
  const old = last();
  channel.kick();
  assert.equal(sockets.length, 2);
  old.onmessage(frame("6"));
  old.onclose();
  last().onopen();
  last().onmessage(frame("6"));
  assert.equal(seen.events.length, 1);
  assert.deepEqual(seen.transports, ["websocket", null, "websocket"]);
});

test("a closed channel leaves nothing running", () => {
  const { channel, last, seen, timers } = world();
  last().onopen();
  channel.close();
  channel.kick();
  assert.deepEqual([timers.size, last().closed, seen.transports], [0, true, ["websocket"]]);
});

async function until(holds) {
  const deadline = Date.now() + 5_000;
  while (!holds()) {
    assert.ok(Date.now() < deadline, "it did not happen in time");
    await new Promise((resolve) => setImmediate(resolve));
  }
}
