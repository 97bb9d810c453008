import assert from "node:assert/strict";
import { test } from "node:test";

import { createPoller } from "../js/poller.js";

console.debug = () => {};

/** Polls against `answers`, one after the other; `waits` are the delays that the poller asked for. */
function world(answers) {
  const asked = [];
  const snapshots = [];
  const waits = [];
  const timers = {
    setTimeout(run, delay) {
      waits.push(delay);
      timers.run = run;
      return 1;
    },
    clearTimeout: () => (timers.run = null),
    run: null,
  };
  const fetchStatus = async (id, etag) => {
    asked.push([id, etag]);
    const answer = answers.shift();
    if (answer instanceof Error) throw answer;
    return answer;
  };
  const poller = createPoller({ fetchStatus, onSnapshot: (snapshot) => snapshots.push(snapshot), timers });
  const settle = () => new Promise((resolve) => setImmediate(resolve));
  return { poller, asked, snapshots, waits, timers, settle };
}

const snapshot = (status, pollAfterMs, etag) => ({
  snapshot: { id: "gen_1", status, pollAfterMs, terminal: pollAfterMs === null },
  etag,
});

test("asks as often as it is told, with the tag of the last answer, until it is terminal", async () => {
  const answers = [
    snapshot("queued", 5000, "a"),
    { snapshot: null, etag: "a" },
    snapshot("completed", null, "b"),
  ];
  const { poller, asked, snapshots, waits, timers, settle } = world(answers);
  poller.watch([{ id: "gen_1", status: "queued" }]);
  await settle();
  timers.run();
  await settle();
  timers.run();
  await settle();
  assert.deepEqual(asked, [
    ["gen_1", null],
    ["gen_1", "a"],
    ["gen_1", "a"],
  ]);
  assert.deepEqual(
    snapshots.map(({ status }) => status),
    ["queued", "completed"],
  );
  assert.deepEqual(waits, [5000, 5000]);
});

test("asks more seldom after failures, and not at all for what is gone", async () => {
  const gone = Object.assign(new Error("gone"), { status: 404 });
  const { poller, waits, timers, settle } = world([new Error("net"), new Error("net"), gone]);
  poller.watch([{ id: "gen_1", status: "queued" }]);
  await settle();
  timers.run();
  await settle();
  timers.run();
  await settle();
  assert.deepEqual(waits, [10_000, 20_000]);
});

test("stops when it is no longer to watch, and an answer that is on its way is not heard", async () => {
  const { poller, snapshots, waits, settle } = world([snapshot("queued", 5000, "a")]);
  poller.watch([{ id: "gen_1", status: "queued" }]);
  poller.watch([]);
  await settle();
  assert.deepEqual([snapshots, waits], [[], []]);
});
