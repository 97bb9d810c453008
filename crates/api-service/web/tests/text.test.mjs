import assert from "node:assert/strict";
import { test } from "node:test";

import { backoff } from "../js/backoff.js";
import { bytes, day, money, ratio, seconds, shorten, timeLeft } from "../js/format.js";
import { conversationHref, parseRoute } from "../js/routes.js";
import { createSseReader } from "../js/sse.js";

test("numbers, money and times read as a person writes them", () => {
  assert.equal(money({ amount: "3.20", currency: "USD" }, "en-US"), "$3.20");
  assert.equal(money({ amount: "3.20", currency: "?" }, "en-US"), "3.20 ?");
  assert.equal(money(null), "");
  assert.deepEqual(
    [seconds(8), seconds(7.96), seconds(60), seconds(95)],
    ["8 s", "8.0 s", "1 min", "1 min 35 s"],
  );
  assert.deepEqual([bytes(999), bytes(4_210_334), bytes(2.5e9)], ["999 B", "4.2 MB", "2.50 GB"]);
  assert.deepEqual(
    [timeLeft(2), timeLeft(41), timeLeft(150)],
    ["A few seconds left", "About 45 s left", "About 3 min left"],
  );
});

test("a day is told by its distance", () => {
  const now = new Date(2026, 10, 23, 9, 0);
  const on = (...when) => new Date(...when).toISOString();
  assert.match(day(on(2026, 10, 23, 8, 5), now, "en-GB"), /08:05/);
  assert.equal(day(on(2026, 10, 22, 23, 59), now, "en-GB"), "Yesterday");
  assert.equal(day(on(2026, 2, 4), now, "en-GB"), "4 Mar");
  assert.equal(day(on(2025, 2, 4), now, "en-GB"), "4 Mar 2025");
});

test("text is cut at a word", () => {
  assert.equal(shorten("a paper boat", 20), "a paper boat");
  assert.equal(shorten("a paper boat crosses the street", 20), "a paper boat…");
  assert.equal(shorten("x".repeat(30), 10), `${"x".repeat(9)}…`);
});

test("a shape is read from either form", () => {
  assert.equal(ratio("9:16"), 9 / 16);
  assert.equal(ratio("1920x1080"), 16 / 9);
  for (const none of [null, "", "16:0", "wide"]) assert.equal(ratio(none), null);
});

test("addresses lead where they say", () => {
  assert.deepEqual(parseRoute(""), { name: "home" });
  assert.deepEqual(parseRoute("#/"), { name: "home" });
  assert.deepEqual(parseRoute("#/signup"), { name: "signup" });
  assert.deepEqual(parseRoute(conversationHref("conv_01ab")), { name: "conversation", id: "conv_01ab" });
  for (const wrong of ["#/c/", "#/c/../x", "#/c/a/b", "#/elsewhere"])
    assert.equal(parseRoute(wrong).name, "unknown");
});

test("waiting grows, is spread, and is bounded", () => {
  assert.deepEqual([backoff(0, () => 1), backoff(3, () => 1), backoff(99, () => 1)], [500, 4000, 15_000]);
  assert.equal(
    backoff(0, () => 0),
    250,
  );
});

test("an event stream is read the same however it is cut into pieces", () => {
  const text =
    ': hello\n\nid: 7\nevent: generation.updated\ndata: {"a":\ndata: 1}\n\n' +
    "data:x\r\n\r\nid\nevent: resync\n\nevent: lost\ndata: half";
  const wanted = [
    { id: "7", event: "generation.updated", data: '{"a":\n1}' },
    { id: "7", event: "message", data: "x" },
    { id: "", event: "resync", data: "" },
  ];
  for (let size = 1; size <= text.length; size += 1) {
    const events = [];
    const read = createSseReader((event) => events.push(event));
    for (let at = 0; at < text.length; at += size) read(text.slice(at, at + size));
    assert.deepEqual(events, wanted, `pieces of ${size}`);
  }
});
