// The socket: what is said first, what is heard, and how it ends.

import assert from "node:assert/strict";
import { test } from "node:test";

import type { Frame } from "../src/push/link.js";
import { webSocketTransport, type Socket } from "../src/push/websocket.js";
import { FakeClock, settle } from "./world.js";

class FakeSocket implements Socket {
  onopen: (() => void) | null = null;
  onmessage: ((event: { data: string }) => void) | null = null;
  onclose: (() => void) | null = null;
  onerror: (() => void) | null = null;
  closed = false;
  readonly sent: unknown[] = [];
  constructor(readonly url: string) {}
  send(text: string) {
    this.sent.push(JSON.parse(text));
  }
  close() {
    this.closed = true;
  }
  say(what: unknown) {
    this.onmessage?.({ data: typeof what === "string" ? what : JSON.stringify(what) });
  }
}

async function world({
  token = null as string | null,
  connect = (url: string) => new FakeSocket(url),
  close = false,
} = {}) {
  const clock = new FakeClock();
  const sockets: FakeSocket[] = [];
  const told: unknown[][] = [];
  const transport = webSocketTransport({
    url: () => "wss://reelay.test/api/ws",
    token: async () => token,
    connect(url) {
      const socket = connect(url);
      sockets.push(socket);
      return socket;
    },
    clock,
  });
  const wanted = [{ conversationId: "conv_1", cursor: "0" }];
  const link = transport.open(wanted, {
    opened: () => told.push(["opened"]),
    frame: ({ conversationId, id, event }: Frame) => told.push(["frame", conversationId, id, event]),
    alive: () => {},
    gone: (id) => told.push(["gone", id]),
    crowded: (id) => told.push(["crowded", id]),
    ended: (status) => told.push(["ended", status]),
  });
  assert.ok(link);
  if (close) link.close();
  await settle();
  const [socket] = sockets;
  return { clock, link, told, socket: socket as FakeSocket };
}

test("says who is asking before what is wanted, and never in the address", async () => {
  const { socket, told, link } = await world({ token: "secret" });
  link.subscribe({ conversationId: "conv_2", cursor: "7" });
  assert.deepEqual([socket.sent, told], [[], []]);
  socket.onopen?.();
  link.subscribe({ conversationId: "conv_3", cursor: "1" });
  link.unsubscribe("conv_1");
  assert.deepEqual(socket.sent, [
    { auth: "secret" },
    { subscribe: "conv_1", after: "0" },
    { subscribe: "conv_2", after: "7" },
    { subscribe: "conv_3", after: "1" },
    { unsubscribe: "conv_1" },
  ]);
  assert.deepEqual([told, socket.url], [[["opened"]], "wss://reelay.test/api/ws"]);
});

test("a cookie needs no words", async () => {
  const { socket } = await world();
  socket.onopen?.();
  assert.deepEqual(socket.sent, [{ subscribe: "conv_1", after: "0" }]);
});

test("frames are told with their cursor, and what is none is passed over", async () => {
  const { socket, told } = await world();
  socket.onopen?.();
  for (const said of [
    "no json",
    { hello: true },
    { id: "1", event: "message.created" },
    { id: "1", event: "message.created", data: { conversationId: "conv_1", message: {} } },
    { id: 2, event: "generation.updated", data: { conversationId: "conv_1", generation: {} } },
    { id: null, event: "resync", data: { conversationId: "conv_1" } },
  ]) {
    socket.say(said);
  }
  assert.deepEqual(told.slice(1), [
    ["frame", "conv_1", "1", "message.created"],
    ["frame", "conv_1", "2", "generation.updated"],
    ["frame", "conv_1", null, "resync"],
  ]);
});

const refusals: [error: object, told: unknown[], closed: boolean][] = [
  [{ code: "unauthenticated" }, ["ended", 401], true],
  [{ code: "not_found", conversationId: "conv_1" }, ["gone", "conv_1"], false],
  [{ code: "too_many_listeners", conversationId: "conv_1" }, ["crowded", "conv_1"], false],
  [{ code: "too_many_listeners" }, ["ended", null], true],
  [{ code: "unavailable", conversationId: "conv_1" }, ["ended", null], true],
];
for (const [error, expected, closed] of refusals) {
  test(`${JSON.stringify(error)} means ${expected.join(" ")}`, async () => {
    const { socket, told } = await world();
    socket.onopen?.();
    socket.say({ error });
    assert.deepEqual([told[1], socket.closed], [expected, closed]);
    socket.onclose?.();
    assert.equal(told.filter(([what]) => what === "ended").length, 1);
  });
}

test("a socket that does not open within 8 s is given up, and its error is not heard", async () => {
  const { clock, socket, told } = await world();
  await clock.pass(7_999);
  assert.deepEqual(told, []);
  await clock.pass(1);
  socket.onerror?.();
  socket.onclose?.();
  assert.deepEqual([told, socket.closed], [[["ended", null]], true]);
});

test("a browser that forbids sockets by throwing is as good as one that ends them", async () => {
  const { told } = await world({
    connect() {
      throw new Error("forbidden by policy");
    },
  });
  assert.deepEqual(told, [["ended", null]]);
});

test("a link that was closed says nothing and leaves no timer, opened or not", async () => {
  for (const open of [false, true]) {
    const { clock, link, socket, told } = await world();
    if (open) socket.onopen?.();
    link.close();
    socket.say({ id: "1", event: "message.created", data: { conversationId: "conv_1" } });
    socket.onclose?.();
    assert.deepEqual([told.slice(open ? 1 : 0), clock.waiting, socket.closed], [[], 0, true]);
  }
});

test("a link that was closed before its token was there opens no socket", async () => {
  const { socket, told, clock } = await world({ token: "secret", close: true });
  assert.deepEqual([socket, told, clock.waiting], [undefined, [], 0]);
});
