// Event streams: how their text is read, and what their beginning and their end mean.

import assert from "node:assert/strict";
import { test } from "node:test";

import { createSseReader, sseTransport, type SseEvent } from "../src/push/sse.js";
import { FakeClock, settle } from "./world.js";

const texts: [name: string, text: string, events: SseEvent[]][] = [
  ["an event", 'id: 7\nevent: a\ndata: {"n":1}\n\n', [{ id: "7", event: "a", data: '{"n":1}' }]],
  ["several lines of data", "data: one\ndata:two\ndata\n\n", [{ id: null, event: "message", data: "one\ntwo\n" }]],
  ["comments alone", ": still here\n\n:\n\n", []],
  ["a cursor alone", "retry: 2000\nid: 4\n\n", [{ id: "4", event: null, data: null }]],
  ["a name alone", "event: resync\n\n", [{ id: null, event: "resync", data: null }]],
  ["a cursor that stays", "id: 1\ndata: a\n\ndata: b\n\n", [
    { id: "1", event: "message", data: "a" },
    { id: "1", event: "message", data: "b" },
  ]],
  ["a name that does not stay", "event: a\ndata: 1\n\ndata: 2\n\n", [
    { id: null, event: "a", data: "1" },
    { id: null, event: "message", data: "2" },
  ]],
  ["every kind of line end", "id: 1\r\ndata: a\r\n\r\nid: 2\rdata: b\r\rid: 3\ndata: c\n\n", [
    { id: "1", event: "message", data: "a" },
    { id: "2", event: "message", data: "b" },
    { id: "3", event: "message", data: "c" },
  ]],
  ["an id that must not be one", "id: 1\u00002\ndata: a\n\n", [{ id: null, event: "message", data: "a" }]],
  ["what was not finished", "data: a", []],
];
for (const [name, text, expected] of texts) {
  test(`${name} is read, however it is cut`, () => {
    for (const size of [1, 2, 3, text.length]) {
      const events: SseEvent[] = [];
      const read = createSseReader((event) => events.push(event));
      for (let at = 0; at < text.length; at += size) read(text.slice(at, at + size));
      assert.deepEqual(events, expected, `pieces of ${size}`);
    }
  });
}

/** A stream that the test writes to. */
function stream() {
  let out: ReadableStreamDefaultController<Uint8Array> | null = null;
  const body = new ReadableStream<Uint8Array>({ start: (controller) => void (out = controller) });
  return {
    response: new Response(body, { headers: { "content-type": "text/event-stream" } }),
    write: (text: string) => out?.enqueue(new TextEncoder().encode(text)),
    end: () => out?.close(),
    break: () => out?.error(new Error("reset")),
  };
}

function world(answers: (Response | Error | null)[], conversations = ["conv_1"]) {
  const clock = new FakeClock();
  const told: unknown[][] = [];
  const asked: { conversationId: string; cursor: string; signal: AbortSignal }[] = [];
  const transport = sseTransport({
    async request({ conversationId, cursor }, signal) {
      asked.push({ conversationId, cursor, signal });
      const answer = answers.shift() ?? null;
      if (answer instanceof Error) throw answer;
      return answer ?? new Promise<Response>(() => {});
    },
    clock,
  });
  const link = transport.open(
    conversations.map((conversationId) => ({ conversationId, cursor: "5" })),
    {
      opened: () => told.push(["opened"]),
      frame: ({ conversationId, id, event, data }) => told.push([conversationId, id, event, data]),
      alive: () => told.push(["alive"]),
      gone: (id) => told.push(["gone", id]),
      crowded: (id) => told.push(["crowded", id]),
      ended: (status) => told.push(["ended", status]),
    },
  );
  assert.ok(link);
  return { clock, link, told, asked };
}

test("a stream is asked for from the cursor, and what it says is told until it ends", async () => {
  const { response, write, end } = stream();
  const { told, asked } = world([response]);
  await settle();
  write("id: 5\n\n: still here\n\n");
  await settle();
  write('id: 6\nevent: message.created\ndata: {"a":"ü"}\n\nid: 7\nevent: generation.updated\ndata: {}\n\n');
  await settle();
  end();
  await settle();
  assert.deepEqual([asked[0]?.conversationId, asked[0]?.cursor], ["conv_1", "5"]);
  assert.deepEqual(told, [
    ["opened"],
    ["alive"],
    ["conv_1", "5", null, null],
    ["alive"],
    ["conv_1", "6", "message.created", { a: "ü" }],
    ["conv_1", "7", "generation.updated", {}],
    ["ended", null],
  ]);
});

test("a stream that breaks ends the link, and the others with it", async () => {
  const [one, two] = [stream(), stream()];
  const { told, asked } = world([one.response, two.response], ["conv_1", "conv_2"]);
  await settle();
  one.break();
  await settle();
  assert.deepEqual(told, [["opened"], ["ended", null]]);
  assert.ok(asked.every(({ signal }) => signal.aborted));
});

const answers: [name: string, answer: Response | Error, told: unknown[]][] = [
  ["no session", new Response("", { status: 401 }), ["ended", 401]],
  ["no such conversation", new Response("", { status: 404 }), ["gone", "conv_1"]],
  ["too many streams", new Response("", { status: 429 }), ["ended", 429]],
  ["a service that is away", new Response("", { status: 503 }), ["ended", 503]],
  ["a proxy's page", new Response("<html>", { headers: { "content-type": "text/html" } }), ["ended", null]],
  ["no network", new TypeError("fetch failed"), ["ended", null]],
];
for (const [name, answer, expected] of answers) {
  test(`${name} means ${expected.join(" ")}`, async () => {
    const { told, clock } = world([answer]);
    await settle();
    assert.deepEqual([told, clock.waiting], [[expected], 0]);
  });
}

test("an answer that does not begin within 8 s is given up", async () => {
  const { told, clock, asked } = world([null]);
  await clock.pass(7_999);
  assert.deepEqual(told, []);
  await clock.pass(1);
  assert.deepEqual([told, asked[0]?.signal.aborted], [[["ended", null]], true]);
});

test("three streams at most are open, so that a browser's connections suffice for the rest", async () => {
  const { told, asked, link } = world([], ["conv_1", "conv_2", "conv_3", "conv_4"]);
  assert.deepEqual([told, asked.length], [[["crowded", "conv_4"]], 3]);
  link.unsubscribe("conv_2");
  link.subscribe({ conversationId: "conv_4", cursor: "9" });
  assert.deepEqual([asked[1]?.signal.aborted, asked[3]?.conversationId, asked[3]?.cursor], [true, "conv_4", "9"]);
});

test("a link that was closed says nothing more", async () => {
  const { response, write, break: cut } = stream();
  const { told, link, asked } = world([response]);
  await settle();
  link.close();
  write("id: 6\nevent: a\ndata: {}\n\n");
  cut();
  await settle();
  assert.deepEqual([told, asked[0]?.signal.aborted], [[["opened"]], true]);
});
